/* What a matcher does with enrolled people, on real photographs and a store in a file. */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "matcher.h"
#include "registry.h"
#include "scratch_store.h"

#define PATIENCE_MS 20000

enum { ADA, ADA_AGAIN, BOB, PHOTO_COUNT };

static const char *const photo_names[] = {"person01_1.jpg", "person01_2.jpg", "person02_1.jpg"};

static struct modelset *models;
static struct buffer photos[PHOTO_COUNT];
static struct scratch_store scratch;
static struct metrics *metrics;
static struct registry *registry;
static struct matcher *matcher;
static uint64_t announced;

static const char *source_path(const char *name)
{
	static char path[2][4096];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", SOURCE_ROOT, name);
	return path[turn];
}

static int set_up_all(void **state)
{
	struct error err = {0};
	char name[64];

	(void)state;
	if (modelset_load(&models, source_path("deploy/models/default/detector"),
			  source_path("deploy/models/default/embedder"), &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < array_size(photos); i++) {
		snprintf(name, sizeof(name), "tests/data/people/%s", photo_names[i]);
		assert_int_equal(buffer_read_file(&photos[i], source_path(name), 1 << 20, &err), 0);
	}
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(photos); i++)
		buffer_finish(&photos[i]);
	modelset_free(models);
	return 0;
}

static void on_announce(void *arg, uint64_t version)
{
	(void)arg;
	announced = version;
}

static void start(const struct quality_limits *limits)
{
	struct error err = {0};
	const struct registry_settings settings = {
	    .store = scratch.settings,
	    .poll_ms = 600000,
	    .cache_bytes = 1 << 20,
	    .models = models,
	    .metrics = metrics,
	    .announce = on_announce,
	};
	if (registry_start(&registry, &settings, &err) < 0)
		fail_msg("%s", err.text);
	const struct matcher_settings matching = {
	    .models = models,
	    .limits = {.max_bytes = 1 << 20, .max_pixels = 1000000, .max_side = 4000},
	    .min_threshold = -1,
	    .people = registry_desk(registry),
	    .enrolment = *limits,
	    .portraits = true,
	};
	if (matcher_new(&matcher, &matching, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	static const struct quality_limits none;

	(void)state;
	announced = 0;
	scratch_store_init(&scratch);
	metrics = metrics_new();
	start(&none);
	return 0;
}

static void end(void)
{
	matcher_free(matcher);
	registry_stop(registry);
}

static int tear_down(void **state)
{
	(void)state;
	end();
	metrics_free(metrics);
	scratch_store_finish(&scratch);
	return 0;
}

/* A command of that number: accepted at that moment, under an id that follows from it. */
static enum error_code run_command(enum job_op op, const char *user_id, int photo, unsigned number, struct reply *reply)
{
	struct job job;
	struct error err = {0};
	char id[UUID_SIZE];

	job_init(&job, op);
	job.user_id = user_id;
	if (photo >= 0) {
		job.image_a.data = photos[photo].data;
		job.image_a.size = photos[photo].size;
	}
	snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", number);
	reply_init(reply, id, &job);
	timings_init(&reply->timings);
	reply->accepted_at_ms = 1000 + number;
	return matcher_run(matcher, NULL, &job, reply, &err) < 0 ? err.code : ERROR_NONE;
}

static enum error_code enroll(const char *user_id, int photo, unsigned number)
{
	struct reply reply;

	return run_command(JOB_ENROLL, user_id, photo, number, &reply);
}

static enum error_code unenroll(const char *user_id, unsigned number)
{
	struct reply reply;

	return run_command(JOB_UNENROLL, user_id, -1, number, &reply);
}

/* How many candidates a search finds, once the gallery is up with the store. */
static size_t search(int photo, struct reply *reply)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (galleries_version(registry_desk(registry)->galleries) < announced && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(run_command(JOB_SEARCH, "", photo, 999, reply), ERROR_NONE);
	assert_true(reply->result.has_candidates);
	return reply->result.candidate_count;
}

static void an_enrolled_face_is_verified(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(run_command(JOB_ENROLL, "ada", ADA, 1, &reply), ERROR_NONE);
	assert_true(reply.result.present && reply.result.face_a.present);
	assert_false(reply.result.has_match);
	assert_true(announced > 0);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA_AGAIN, 2, &reply), ERROR_NONE);
	assert_true(reply.result.has_match && reply.result.matched);
	assert_true(reply.result.similarity > 0.7);
	assert_false(reply.result.face_b.present);
	assert_int_equal(run_command(JOB_VERIFY, "ada", BOB, 3, &reply), ERROR_NONE);
	assert_false(reply.result.matched);
}

static void the_best_of_several_images_counts(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("both", BOB, 1), ERROR_NONE);
	assert_int_equal(enroll("both", ADA, 2), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "both", ADA, 3, &reply), ERROR_NONE);
	assert_true(reply.result.similarity > 0.99);
}

static void who_is_not_there_is_not_found(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(run_command(JOB_VERIFY, "nobody", ADA, 1, &reply), ERROR_USER_NOT_FOUND);
	/* Nothing was computed for it. */
	assert_true(reply.timings.ms[STAGE_DECODE] < 0);
	assert_int_equal(search(ADA, &reply), 0);
	assert_int_equal(unenroll("nobody", 2), ERROR_NONE);
}

static void a_search_finds_each_user_once(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("ada", ADA, 1), ERROR_NONE);
	assert_int_equal(enroll("ada", ADA_AGAIN, 2), ERROR_NONE);
	assert_int_equal(enroll("bob", BOB, 3), ERROR_NONE);
	assert_int_equal(search(ADA_AGAIN, &reply), 1);
	assert_string_equal(reply.result.candidates[0].user_id, "ada");
	assert_string_equal(reply.result.candidates[0].image_id, "00000000-0000-7000-8000-000000000002");
	assert_true(reply.result.candidates[0].similarity > 0.99);
	reply_finish(&reply);
}

static void what_was_unenrolled_is_gone(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(enroll("ada", ADA, 1), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 2, &reply), ERROR_NONE);
	assert_int_equal(unenroll("ada", 3), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 4, &reply), ERROR_USER_NOT_FOUND);
	assert_int_equal(search(ADA, &reply), 0);
	assert_int_equal(enroll("ada", ADA, 1), ERROR_SUPERSEDED); /* redelivered, late */
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 5, &reply), ERROR_USER_NOT_FOUND);
	assert_int_equal(enroll("ada", ADA, 6), ERROR_NONE);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 7, &reply), ERROR_NONE);
}

/* Enrolment 1, unenrolment 2, enrolment 3: in whatever order and however often they come, 3 stands alone. */
static void every_order_ends_the_same(void **state)
{
	static const char *const orders[] = {"123", "132",  "213",   "231",    "312",
					     "321", "1123", "12131", "321321", "31213"};

	(void)state;
	for (size_t i = 0; i < array_size(orders); i++) {
		struct reply reply;
		char user[16];

		snprintf(user, sizeof(user), "user-%zu", i);
		for (const char *step = orders[i]; *step; step++) {
			unsigned number = (unsigned)(*step - '0');
			enum error_code code =
			    number == 2 ? unenroll(user, 2) : enroll(user, number == 1 ? BOB : ADA, number);
			assert_true(code == ERROR_NONE || (number == 1 && code == ERROR_SUPERSEDED));
		}
		assert_int_equal(run_command(JOB_VERIFY, user, ADA, 9, &reply), ERROR_NONE);
		assert_true(reply.result.similarity > 0.99);
		assert_int_equal(run_command(JOB_VERIFY, user, BOB, 9, &reply), ERROR_NONE);
		assert_true(reply.result.similarity < 0.5);
	}
}

static void bad_pictures_are_not_enrolled(void **state)
{
	static const struct quality_limits strict = {.min_eye_distance = 500};
	struct reply reply;

	(void)state;
	end();
	start(&strict);
	assert_int_equal(enroll("ada", ADA, 1), ERROR_LOW_QUALITY);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 2, &reply), ERROR_USER_NOT_FOUND);
	/* The gate is for enrolments. */
	assert_int_equal(search(ADA, &reply), 0);
}

static void other_models_are_never_compared(void **state)
{
	struct reply reply;
	struct store *store;
	struct error err = {0};

	(void)state;
	assert_int_equal(store_open(&store, &scratch.settings, &err), 0);
	scratch_store_enroll(store, "default", "ada", 1, "another-model", models->embedder.dimension);
	store_close(store);
	assert_int_equal(run_command(JOB_VERIFY, "ada", ADA, 2, &reply), ERROR_MODEL_MISMATCH);
	announced = 1;
	registry_hear(registry, 1);
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;
	while (galleries_version(registry_desk(registry)->galleries) < 1 && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_int_equal(run_command(JOB_SEARCH, "", ADA, 3, &reply), ERROR_MODEL_MISMATCH);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(an_enrolled_face_is_verified),  CASE(the_best_of_several_images_counts), CASE(who_is_not_there_is_not_found),
    CASE(a_search_finds_each_user_once), CASE(what_was_unenrolled_is_gone),       CASE(every_order_ends_the_same),
    CASE(bad_pictures_are_not_enrolled), CASE(other_models_are_never_compared),
};

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
