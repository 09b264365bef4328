#include "cli/people/erasure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amqp/link.h"
#include "base/clock.h"
#include "broker.h"
#include "fixture.h"
#include "job/control.h"
#include "job/job.h"
#include "run.h"
#include "server.h"
#include "store/people.h"

#define MODEL "0123456789012345678901234567890123456789012345678901234567890123"
#define PARKED "facefleet.dead.parked"

static char db_path[] = "/tmp/test_erasure_XXXXXX";
static struct store_settings store_settings;
static char store_url[64];

/* What the fleet was told. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned forgets;
static uint64_t newest;

static int set_up(void **state)
{
	struct error err;

	strcpy(db_path + strlen(db_path) - 6, "XXXXXX");
	int fd = mkstemp(db_path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(store_url, sizeof(store_url), "sqlite:%s", db_path);
	store_settings = (struct store_settings){.url = store_url};
	if (store_migrate(&store_settings, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	forgets = 0;
	newest = 0;
	return fixture_set_up(state);
}

static int tear_down(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s*", db_path);
	assert_int_equal(system(command), 0);
	return fixture_tear_down(state);
}

static void enroll(struct store *store, const char *collection, const char *user_id)
{
	const float embedding[4] = {1, 0, 0, 0};
	struct people_enrolment enrolment = {
	    .collection = collection,
	    .user_id = user_id,
	    .model_id = MODEL,
	    .embedding = embedding,
	    .dimension = 4,
	};
	enum people_outcome outcome;
	uint64_t version;
	struct error err;
	char id[UUID_SIZE];

	uuid_v7(id);
	enrolment.command = (struct people_command){.accepted_ms = clock_unix_ms() - 1000, .id = id};
	if (people_enroll(store, &enrolment, &outcome, &version, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(outcome, PEOPLE_STORED);
}

static unsigned images_of(struct store *store, const char *collection, const char *user_id)
{
	struct people_person person;
	struct error err;

	if (people_find(store, collection, user_id, MODEL, &person, &err) < 0)
		fail_msg("%s", err.text);
	unsigned images = person.images;
	people_finish(&person);
	return images;
}

static void park(struct amqp_link *link, const char *user_id)
{
	static const uint8_t picture[] = "not really a picture";
	struct buffer body = {0};
	struct error err;
	struct job job;

	job_init(&job, JOB_VERIFY);
	job.user_id = user_id;
	job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
	assert_int_equal(job_encode(&job, ENCODING_MSGPACK, &body, &err), 0);
	struct amqp_message *message = amqp_message_new("", PARKED, &body);
	assert_non_null(message);
	strcpy(message->envelope.type, ENVELOPE_TYPE_JOB);
	strcpy(message->envelope.content_type, encoding_content_type(ENCODING_MSGPACK));
	assert_int_equal(amqp_link_publish(link, message, NULL, NULL), 0);
}

static void park_all(void)
{
	struct amqp_link *link = post_open_ready(&post, &url, "filler", TOPOLOGY_JOBS, NULL);

	park(link, "ann");
	park(link, "bob");
	park(link, "ann");
	assert_int_equal(amqp_link_wait_confirms(link, 60000), 0);
	amqp_link_free(link);
}

static void on_control(void *arg, struct amqp_delivery *delivery)
{
	struct control control = {0};

	(void)arg;
	pthread_mutex_lock(&lock);
	if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_CONTROL) == 0 &&
	    control_decode(&control, delivery->body, delivery->body_size, NULL) == 0) {
		if (control.kind == CONTROL_PHOTOS_FORGET)
			forgets++;
		else if (control.kind == CONTROL_PEOPLE_CHANGED)
			newest = control.version;
	}
	pthread_mutex_unlock(&lock);
	amqp_delivery_free(delivery);
}

/* Both were sent in this order. */
static void wait_until_told(unsigned times, uint64_t version)
{
	int64_t until = clock_monotonic_ms() + 60000;

	for (bool told = false; !told; usleep(1000)) {
		assert_true(clock_monotonic_ms() < until);
		pthread_mutex_lock(&lock);
		told = forgets == times;
		if (told)
			assert_int_equal(newest, version);
		pthread_mutex_unlock(&lock);
	}
}

static enum exit_status erase(const char *user_id, const char *collection, const char *store, const char *redis)
{
	char sets[3][600];
	const char *pointers[] = {sets[0], sets[1], sets[2]};
	const struct config_sources sources = {.sets = pointers, .set_count = 3};
	struct config *config;
	struct error err;

	snprintf(sets[0], sizeof(sets[0]), "amqp.url=%s/%s", getenv("FACEFLEET_TEST_AMQP_URL"), url.hosts[0].vhost);
	snprintf(sets[1], sizeof(sets[1]), "store.url=%s", store);
	snprintf(sets[2], sizeof(sets[2]), "cache.redis_url=%s", redis);
	if (config_load(&config, &sources, &err) < 0)
		fail_msg("%s", err.text);
	const struct erasure_settings settings = {
	    .config = config, .quiet = true, .user_id = user_id, .collection = collection};
	enum exit_status status = erasure_run(&settings);
	config_free(config);
	return status;
}

static void remember_in_redis(void)
{
	server_expect("FLUSHALL", "OK");
	server_expect("SET face:default:ann:" MODEL " x", "OK");
	server_expect("SET face:staff:ann:" MODEL " x", "OK");
	server_expect("SET face:default:anna:" MODEL " x", "OK");
	server_expect("SET photo:00 x", "OK");
	server_expect("SET other x", "OK");
}

static void test_everywhere(void **state)
{
	const struct amqp_consumer_settings hears = {
	    .queue = "facefleet.control.", .prefetch = 10, .hears = "facefleet.control", .on_delivery = on_control};
	struct amqp_link *listener = post_open_ready(&post, &url, "listener", TOPOLOGY_CONTROL, &hears);
	struct store *store;
	uint64_t version;
	struct error err;

	(void)state;
	assert_int_equal(store_open(&store, &store_settings, &err), 0);
	enroll(store, "default", "ann");
	enroll(store, "default", "ann");
	enroll(store, "staff", "ann");
	enroll(store, "default", "bob");
	remember_in_redis();
	park_all();

	assert_int_equal(erase("ann", NULL, store_url, server_url()), STATUS_OK);
	assert_int_equal(images_of(store, "default", "ann"), 0);
	assert_int_equal(images_of(store, "staff", "ann"), 0);
	assert_int_equal(images_of(store, "default", "bob"), 1);
	assert_int_equal(people_version(store, &version, &err), 0);
	assert_true(version > 4);
	wait_until_told(1, version);
	server_expect("EXISTS face:default:ann:" MODEL " face:staff:ann:" MODEL " photo:00", "0");
	server_expect("EXISTS face:default:anna:" MODEL " other", "2");
	assert_int_equal(broker_count_ready(&url, PARKED), 1);

	/* Again, for somebody who is gone. */
	assert_int_equal(erase("ann", NULL, store_url, server_url()), STATUS_OK);
	assert_int_equal(broker_count_ready(&url, PARKED), 1);
	store_close(store);
	amqp_link_free(listener);
}

static void test_one_collection(void **state)
{
	struct store *store;
	struct error err;

	(void)state;
	assert_int_equal(store_open(&store, &store_settings, &err), 0);
	enroll(store, "default", "ann");
	enroll(store, "staff", "ann");
	remember_in_redis();
	park_all();
	assert_int_equal(erase("ann", "staff", store_url, server_url()), STATUS_OK);
	assert_int_equal(images_of(store, "default", "ann"), 1);
	assert_int_equal(images_of(store, "staff", "ann"), 0);
	server_expect("EXISTS face:default:ann:" MODEL, "1");
	server_expect("EXISTS face:staff:ann:" MODEL, "0");
	assert_int_equal(broker_count_ready(&url, PARKED), 3);
	store_close(store);
}

static void test_what_is_not_there_does_not_stop_the_rest(void **state)
{
	(void)state;
	park_all();
	assert_int_equal(erase("ann", NULL, "sqlite:/nonexistent/people.db", "redis://127.0.0.1:1"),
			 STATUS_NOT_REACHED);
	assert_int_equal(broker_count_ready(&url, PARKED), 1);
	park_all();
	assert_int_equal(erase("ann", NULL, "", ""), STATUS_OK);
	assert_int_equal(broker_count_ready(&url, PARKED), 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_everywhere, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_one_collection, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_what_is_not_there_does_not_stop_the_rest, set_up, tear_down),
};

RUN_TESTS(tests)
