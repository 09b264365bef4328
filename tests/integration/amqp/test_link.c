#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/link.h"
#include "broker.h"
#include "fixture.h"
#include "job/job.h"
#include "run.h"
#include "wait.h"

#define BATCH "facefleet.jobs.batch"

static struct amqp_consumer_settings batch_consumer(uint16_t prefetch)
{
	return (struct amqp_consumer_settings){
	    .queue = BATCH, .prefetch = prefetch, .on_delivery = post_on_delivery, .arg = &post};
}

static void declare_raw(const char *queue, amqp_table_t arguments)
{
	struct connection c;

	broker_connect(&url, &c);
	assert_non_null(
	    amqp_queue_declare(c.state, CONNECTION_CHANNEL, amqp_cstring_bytes(queue), 0, 1, 0, 0, arguments));
	connection_close(&c, true);
}

static void test_ten_thousand_messages_each_once(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(100);
	post.ack = true;
	struct amqp_link *receiver = post_open_ready(&post, &url, "receiver", TOPOLOGY_JOBS, &consumer);
	struct amqp_link *sender = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);

	for (unsigned i = 0; i < 10000; i++)
		post_send(&post, sender, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 200, true);
	assert_int_equal(amqp_link_wait_confirms(sender, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 10000);
	assert_true(post_wait(&post, &post.distinct, 10000));
	amqp_link_free(sender);
	amqp_link_free(receiver);
	assert_int_equal(post.deliveries, 10000);
	/* Acknowledgements left before the connection closed: nothing comes back. */
	assert_int_equal(broker_count_ready(&url, BATCH), 0);
}

static void test_mandatory_message_without_queue_comes_back(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "sender", 0, NULL);

	post_send(&post, link, "", "nobody", 1, 10, true);
	post_send(&post, link, "", "nobody", 2, 10, false);
	post_send(&post, link, "", "nobody", 3, 0, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_RETURNED]), 2);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 1);
	amqp_link_free(link);
}

/* Two listeners hear everything that is said while they are there, each with a queue of its own. */
static void test_everybody_hears_the_control_exchange(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = {.queue = "ear",
						  .hears = TOPOLOGY_CONTROL_EXCHANGE,
						  .prefetch = 10,
						  .on_delivery = post_on_delivery,
						  .arg = &post};
	struct amqp_link *first = post_open_ready(&post, &url, "first", TOPOLOGY_CONTROL, &consumer);
	struct amqp_link *second = post_open_ready(&post, &url, "second", TOPOLOGY_CONTROL, &consumer);

	for (unsigned i = 0; i < 3; i++)
		post_send(&post, first, TOPOLOGY_CONTROL_EXCHANGE, "", i, 10, false);
	assert_true(post_wait(&post, &post.deliveries, 6));
	amqp_link_free(second);
	post_send(&post, first, TOPOLOGY_CONTROL_EXCHANGE, "", 3, 10, false);
	assert_true(post_wait(&post, &post.deliveries, 7));
	amqp_link_free(first);
}

static void test_full_queue_nacks(void **state)
{
	(void)state;
	amqp_table_entry_t arguments[] = {
	    {amqp_cstring_bytes("x-max-length"), {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 2}},
	    {amqp_cstring_bytes("x-overflow"),
	     {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("reject-publish")}},
	};
	declare_raw("small", (amqp_table_t){2, arguments});
	struct amqp_link *link = post_open_ready(&post, &url, "sender", 0, NULL);

	for (unsigned i = 0; i < 5; i++)
		post_send(&post, link, "", "small", i, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 2);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_NACKED]), 3);
	amqp_link_free(link);
}

static void test_missing_exchange_is_nacked_and_harms_nobody(void **state)
{
	(void)state;
	declare_raw("there", amqp_empty_table);
	struct amqp_link *link = post_open_ready(&post, &url, "sender", 0, NULL);

	for (unsigned i = 0; i < 20; i++)
		post_send(&post, link, i == 10 ? "no-such-exchange" : "", "there", i, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_NACKED]), 1);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 19);
	amqp_link_free(link);
}

/* The broker calls the default exchange by another name then. */
static void test_a_forbidden_default_exchange_harms_nobody(void **state)
{
	(void)state;
	struct amqp_link *owner = post_open_ready(&post, &url, "owner", TOPOLOGY_JOBS, NULL);

	amqp_link_free(owner);
	broker_limit_user(&url, "^facefleet");
	struct amqp_link *link = post_open_ready(&post, &url, "sender", 0, NULL);
	post_send(&post, link, "", "amq.gen-requester", 1, 10, true);
	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 2, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_NACKED]), 1);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 1);
	amqp_link_free(link);
}

static void test_pause_and_resume_with_another_prefetch(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(2);
	struct amqp_link *link = post_open_ready(&post, &url, "both", TOPOLOGY_JOBS, &consumer);

	for (unsigned i = 0; i < 20; i++)
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", i, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_true(post_wait(&post, &post.deliveries, 2));
	amqp_link_pause(link, 0);
	assert_int_equal(amqp_link_drain(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.deliveries), 2);

	amqp_link_resume(link, 0, 5);
	assert_true(post_wait(&post, &post.deliveries, 7));
	assert_int_equal(amqp_link_drain(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.deliveries), 7);

	/* What was delivered before the pause can still be settled. */
	amqp_link_settle(link, post.last_tag, AMQP_ACK);
	amqp_link_resume(link, 0, 0);
	assert_true(post_wait(&post, &post.deliveries, 12));
	/* A new prefetch while it runs. */
	amqp_link_resume(link, 0, 3);
	assert_true(post_wait(&post, &post.deliveries, 15));
	amqp_link_resume(link, 0, 4);
	assert_true(post_wait(&post, &post.deliveries, 19));
	assert_int_equal(amqp_link_drain(link, 90000), 0);
	assert_int_equal(post_read(&post, &post.deliveries), 19);
	amqp_link_free(link);
	WAIT_UNTIL(broker_count_ready(&url, BATCH) == 19);
}

static void test_requeue_and_dead_letter(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(1);
	struct amqp_link *link = post_open_ready(&post, &url, "both", TOPOLOGY_JOBS, &consumer);

	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 1, 10, true);
	assert_true(post_wait(&post, &post.deliveries, 1));
	amqp_link_settle(link, post.last_tag, AMQP_REQUEUE);
	assert_true(post_wait(&post, &post.redelivered, 1));
	amqp_link_settle(link, post.last_tag, AMQP_DEAD_LETTER);
	/* Settling twice is dropped here, since it would cost the channel. */
	amqp_link_settle(link, post.last_tag, AMQP_ACK);

	struct amqp_consumer_settings dead = batch_consumer(1);
	dead.queue = TOPOLOGY_DEAD_JOBS_QUEUE;
	struct amqp_link *mourner = post_open_ready(&post, &url, "dead", TOPOLOGY_JOBS, &dead);
	assert_true(post_wait(&post, &post.deliveries, 3));
	struct amqp_link_status status;
	amqp_link_status(link, &status);
	assert_int_equal(status.generation, 1);
	amqp_link_free(mourner);
	amqp_link_free(link);
}

static void test_settlements_of_an_earlier_connection_are_dropped(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(1);
	struct amqp_link *link = post_open_ready(&post, &url, "forgetful", TOPOLOGY_JOBS, &consumer);

	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 1, 10, true);
	assert_true(post_wait(&post, &post.deliveries, 1));
	struct amqp_tag stale = post.last_tag;
	/* The management interface learns of a connection a few seconds late. */
	while (!broker_close_connection("forgetful"))
		;
	assert_true(post_wait(&post, &post.redelivered, 1));
	assert_int_equal(post.lost_generation, 1);
	assert_int_equal(post.last_tag.generation, 2);
	assert_int_equal(stale.delivery, post.last_tag.delivery);
	/* The same number on the new connection is another delivery: the old tag must not touch it. */
	amqp_link_settle(link, stale, AMQP_ACK);
	assert_int_equal(amqp_link_drain(link, 90000), 0);
	amqp_link_free(link);
	WAIT_UNTIL(broker_count_ready(&url, BATCH) == 1);
}

/* Deletes the batch lane's queue, and returns when a message has come through it again. */
static void lose_queue(struct amqp_link *link)
{
	unsigned attempts = 0;

	broker_delete_queue(&url, BATCH);
	/* Without a queue the message comes back; it is sent until it arrives. */
	while (post_read(&post, &post.outcomes[AMQP_CONFIRMED]) == 0 && attempts++ < 100000) {
		post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 1, 10, true);
		assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	}
	assert_true(post_wait(&post, &post.deliveries, 1));
}

/* What is heard has a queue that is not lost, and needs no other: nobody would ever read the old one, or the new. */
static void test_deleted_queue_costs_no_other_one(void **state)
{
	(void)state;
	const struct amqp_link_settings settings = {
	    .url = &url, .name = "ear", .topology = TOPOLOGY_JOBS | TOPOLOGY_CONTROL, .heartbeat_s = 5};
	const struct amqp_consumer_settings lane = batch_consumer(10);
	const struct amqp_consumer_settings ear = {.queue = "ear",
						   .hears = TOPOLOGY_CONTROL_EXCHANGE,
						   .prefetch = 10,
						   .on_delivery = post_on_delivery,
						   .arg = &post};
	struct amqp_link *link;

	post.ack = true;
	assert_int_equal(amqp_link_new(&link, &settings, NULL), 0);
	post.receiver = link;
	assert_int_equal(amqp_link_add_consumer(link, &lane), 0);
	assert_int_equal(amqp_link_add_consumer(link, &ear), 1);
	assert_int_equal(amqp_link_start(link, NULL), 0);
	assert_int_equal(amqp_link_wait_ready(link, 90000, NULL), 0);
	lose_queue(link);
	assert_int_equal(broker_count_queues(&url, "ear."), 1);
	unsigned before = post_read(&post, &post.deliveries);
	post_send(&post, link, TOPOLOGY_CONTROL_EXCHANGE, "", 2, 10, false);
	assert_true(post_wait(&post, &post.deliveries, before + 1));
	amqp_link_free(link);
}

static void test_deleted_queue_is_declared_and_consumed_again(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(10);
	post.ack = true;
	struct amqp_link *link = post_open_ready(&post, &url, "both", TOPOLOGY_JOBS, &consumer);

	lose_queue(link);
	/* What is delivered can be ahead of what is shown. */
	assert_int_equal(amqp_link_wait_ready(link, 90000, NULL), 0);
	struct amqp_link_status status;
	amqp_link_status(link, &status);
	assert_int_equal(status.generation, 1);
	amqp_link_free(link);
}

static const struct amqp_consumer_settings own = {
    .queue = "facefleet.reply.test",
    .prefetch = 10,
    .own_queue_expires_ms = 600000,
    .on_delivery = post_on_delivery,
    .arg = &post,
};

static void expect_own_queue_is_missed(void)
{
	assert_true(post_wait(&post, &post.fatal, 1));
	assert_int_equal(post.fatal_error.code, ERROR_TOPOLOGY);
	assert_non_null(strstr(post.fatal_error.text, "has lost the queue facefleet.reply.test"));
}

/* What was said to it meanwhile is gone, so nobody may wait for it. */
static void test_own_queue_that_is_deleted_is_missed(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "cli", 0, &own);

	broker_delete_queue(&url, own.queue);
	expect_own_queue_is_missed();
	amqp_link_free(link);
	assert_int_equal(broker_count_queues(&url, own.queue), 0);
}

static void test_own_queue_is_missed_after_a_reconnect(void **state)
{
	(void)state;
	struct amqp_consumer_settings paused = own;
	paused.paused = true;
	struct amqp_link *link = post_open_ready(&post, &url, "forgetful", 0, &paused);

	/* Nobody consumes, so the link does not hear of it. */
	broker_delete_queue(&url, own.queue);
	/* The management interface learns of a connection a few seconds late. */
	while (!broker_close_connection("forgetful"))
		;
	expect_own_queue_is_missed();
	amqp_link_free(link);
}

static void test_largest_message_and_one_too_large(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(10);
	post.ack = true;
	struct amqp_link *link = post_open_ready(&post, &url, "both", TOPOLOGY_JOBS, &consumer);
	struct buffer body = {0};

	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 1, JOB_MAX_ENCODED_BYTES, true);
	assert_true(post_wait(&post, &post.deliveries, 1));
	assert_int_equal(post.last_body_size, JOB_MAX_ENCODED_BYTES);

	assert_int_equal(buffer_reserve(&body, JOB_MAX_ENCODED_BYTES + 1), 0);
	memset(body.data, 0, JOB_MAX_ENCODED_BYTES + 1);
	body.size = JOB_MAX_ENCODED_BYTES + 1;
	struct amqp_message *message = amqp_message_new("", BATCH, &body);
	assert_int_equal(amqp_link_publish(link, message, NULL, NULL), -EMSGSIZE);

	/* Somebody else may send more: it arrives without its body and can be settled. */
	struct connection c;
	broker_connect(&url, &c);
	amqp_bytes_t huge = amqp_bytes_malloc(AMQP_MAX_DELIVERY_BYTES + 1);
	memset(huge.bytes, 0, huge.len);
	assert_int_equal(amqp_basic_publish(c.state, CONNECTION_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(BATCH), 0,
					    0, NULL, huge),
			 0);
	assert_true(post_wait(&post, &post.deliveries, 2));
	assert_true(post.last_too_large);
	assert_int_equal(post.last_body_size, 0);
	amqp_bytes_free(huge);
	connection_close(&c, true);
	amqp_link_free(link);
	assert_int_equal(broker_count_ready(&url, BATCH), 0);
}

/* One header that is arrays within arrays, as deep as a frame can hold. */
static void publish_deep_header(const char *queue)
{
	static amqp_field_value_t levels[25000];
	struct connection c;

	for (size_t i = 0; i < array_size(levels); i++)
		levels[i] = (amqp_field_value_t){
		    .kind = AMQP_FIELD_KIND_ARRAY,
		    .value.array = {i + 1 < array_size(levels), i + 1 < array_size(levels) ? &levels[i + 1] : NULL}};
	amqp_table_entry_t header = {amqp_cstring_bytes("deep"), levels[0]};
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG, .headers = {1, &header}};
	broker_connect(&url, &c);
	assert_int_equal(amqp_basic_publish(c.state, CONNECTION_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0,
					    0, &properties, amqp_cstring_bytes("x")),
			 0);
	connection_close(&c, true);
}

static void test_deeply_nested_header_does_no_harm(void **state)
{
	(void)state;
	struct amqp_consumer_settings consumer = batch_consumer(10);
	post.ack = true;
	struct amqp_link *link = post_open_ready(&post, &url, "both", TOPOLOGY_JOBS, &consumer);

	publish_deep_header(BATCH);
	assert_true(post_wait(&post, &post.deliveries, 1));
	amqp_link_free(link);
	assert_int_equal(broker_count_ready(&url, BATCH), 0);
}

static void test_hosts_are_tried_in_turn(void **state)
{
	(void)state;
	url.hosts[url.count++] = url.hosts[0];
	url.hosts[0].port = 1;
	struct amqp_link *link = post_open_ready(&post, &url, "traveller", 0, NULL);

	amqp_link_free(link);
}

static void test_refused_login_is_said_at_once(void **state)
{
	(void)state;
	struct error err;

	snprintf(url.hosts[0].password, sizeof(url.hosts[0].password), "sesame-open");
	struct amqp_link *link = post_open(&post, &url, "stranger", 0, NULL);
	assert_int_equal(amqp_link_wait_ready(link, 90000, &err), -ENOTRECOVERABLE);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	assert_non_null(strstr(err.text, "login refused: 403"));
	assert_null(strstr(err.text, "sesame-open"));
	amqp_link_free(link);
}

static double counted(struct metrics *metrics, const char *name)
{
	const char *const labels[] = {"link", "counted", NULL};
	struct buffer page = {0};
	char line[256];

	assert_int_equal(metrics_render(metrics, &page), 0);
	snprintf(line, sizeof(line), "\n%s{%s=\"%s\"} ", name, labels[0], labels[1]);
	const char *found = strstr((const char *)page.data, line);
	assert_non_null(found);
	double value = atof(found + strlen(line));
	buffer_finish(&page);
	return value;
}

static void test_metrics(void **state)
{
	(void)state;
	struct metrics *metrics = metrics_new();
	struct amqp_link_settings settings = {
	    .url = &url, .name = "counted", .topology = TOPOLOGY_JOBS, .metrics = metrics};
	struct amqp_consumer_settings consumer = batch_consumer(10);
	struct amqp_link *link;

	post.ack = true;
	assert_int_equal(amqp_link_new(&link, &settings, NULL), 0);
	post.receiver = link;
	assert_int_equal(amqp_link_add_consumer(link, &consumer), 0);
	assert_int_equal(amqp_link_start(link, NULL), 0);
	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "batch", 1, 10, true);
	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "nobody", 2, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 90000), 0);
	assert_true(post_wait(&post, &post.deliveries, 1));
	assert_int_equal(counted(metrics, "facefleet_amqp_connected"), 1);
	assert_int_equal(counted(metrics, "facefleet_amqp_connects_total"), 1);
	assert_int_equal(counted(metrics, "facefleet_amqp_published_total"), 2);
	assert_int_equal(counted(metrics, "facefleet_amqp_confirmed_total"), 1);
	assert_int_equal(counted(metrics, "facefleet_amqp_returned_total"), 1);
	assert_int_equal(counted(metrics, "facefleet_amqp_nacked_total"), 0);
	assert_int_equal(counted(metrics, "facefleet_amqp_delivered_total"), 1);
	amqp_link_free(link);
	assert_int_equal(counted(metrics, "facefleet_amqp_connected"), 0);
	metrics_free(metrics);
}

static void test_publish_is_refused_when_the_backlog_is_full(void **state)
{
	(void)state;
	struct amqp_link_settings settings = {.url = &url, .name = "idle", .publish_window = 1, .publish_backlog = 2};
	struct amqp_link *link;

	assert_int_equal(amqp_link_new(&link, &settings, NULL), 0);
	for (unsigned i = 0; i < 3; i++)
		post_send(&post, link, "", "anywhere", i, 10, true);
	struct buffer body = {0};
	struct amqp_message *message = amqp_message_new("", "anywhere", &body);
	assert_int_equal(amqp_link_publish(link, message, NULL, NULL), -EAGAIN);
	assert_int_equal(amqp_link_wait_room(link, 0), -ETIMEDOUT);
	assert_int_equal(amqp_link_wait_confirms(link, 0), -ETIMEDOUT);
	/* Freed without ever having started: whoever waits still hears of each message. */
	amqp_link_free(link);
	assert_int_equal(post.outcomes[AMQP_ABANDONED], 3);
}

/* What ends after it may still say things to it. */
static void test_a_stopped_link_takes_nothing_and_harms_nobody(void **state)
{
	(void)state;
	struct amqp_link *link = post_open_ready(&post, &url, "sender", TOPOLOGY_JOBS, NULL);
	const struct amqp_tag tag = {.generation = 1, .delivery = 1};
	struct buffer body = {0};

	amqp_link_stop(link);
	assert_int_equal(amqp_link_publish(link, amqp_message_new("", BATCH, &body), NULL, NULL), -ESHUTDOWN);
	amqp_link_settle(link, tag, AMQP_ACK);
	amqp_link_free(link);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_ten_thousand_messages_each_once),
    CASE(test_mandatory_message_without_queue_comes_back),
    CASE(test_everybody_hears_the_control_exchange),
    CASE(test_full_queue_nacks),
    CASE(test_missing_exchange_is_nacked_and_harms_nobody),
    CASE(test_a_forbidden_default_exchange_harms_nobody),
    CASE(test_pause_and_resume_with_another_prefetch),
    CASE(test_requeue_and_dead_letter),
    CASE(test_settlements_of_an_earlier_connection_are_dropped),
    CASE(test_deleted_queue_is_declared_and_consumed_again),
    CASE(test_deleted_queue_costs_no_other_one),
    CASE(test_own_queue_that_is_deleted_is_missed),
    CASE(test_own_queue_is_missed_after_a_reconnect),
    CASE(test_largest_message_and_one_too_large),
    CASE(test_deeply_nested_header_does_no_harm),
    CASE(test_hosts_are_tried_in_turn),
    CASE(test_refused_login_is_said_at_once),
    CASE(test_metrics),
    CASE(test_publish_is_refused_when_the_backlog_is_full),
    CASE(test_a_stopped_link_takes_nothing_and_harms_nobody),
};

RUN_TESTS(tests)
