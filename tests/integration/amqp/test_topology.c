#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/link.h"
#include "amqp/topology_declare.h"
#include "broker.h"
#include "fixture.h"
#include "run.h"

#define BATCH "facefleet.jobs.batch"
#define TIMEOUT_MS 90000

static char *report;

static int tear_down(void **state)
{
	free(report);
	report = NULL;
	return fixture_tear_down(state);
}

/* Runs topology_check() and keeps what it printed in `report`. */
static int check(bool apply)
{
	struct error err;
	size_t size;

	free(report);
	FILE *out = open_memstream(&report, &size);
	int r = topology_check(&url, apply, TIMEOUT_MS, out, &err);
	fclose(out);
	return r;
}

static void declare(const struct topology_queue *queue)
{
	struct connection c;
	struct error err;

	broker_connect(&url, &c);
	assert_int_equal(topology_declare_queue(&c, queue, &err), 0);
	connection_close(&c, true);
}

static void test_check_and_apply(void **state)
{
	(void)state;
	assert_int_equal(check(false), 1);
	assert_non_null(strstr(report, "missing   exchange facefleet.jobs\n"));
	assert_non_null(strstr(report, "missing   queue facefleet.retry.callbacks.5000\n"));
	assert_null(strstr(report, "ok "));

	assert_int_equal(check(true), 0);
	assert_non_null(strstr(report, "declared  queue facefleet.jobs.batch\n"));
	assert_int_equal(check(false), 0);
	assert_null(strstr(report, "missing"));
	assert_int_equal(check(true), 0);
	assert_null(strstr(report, "declared"));

	broker_delete_queue(&url, BATCH);
	assert_int_equal(check(false), 1);
	assert_non_null(strstr(report, "missing   queue facefleet.jobs.batch\n"));
	assert_non_null(strstr(report, "ok        queue facefleet.jobs.realtime\n"));
}

static void test_check_names_each_difference_and_goes_on(void **state)
{
	(void)state;
	declare(&(struct topology_queue){.name = BATCH,
					 .arguments = {{.key = "x-queue-type", .text = "quorum"},
						       {.key = "x-delivery-limit", .number = 5},
						       {.key = "x-overflow", .text = "drop-head"}}});
	assert_int_equal(check(true), 1);
	const char *line = strstr(report, "differs   queue facefleet.jobs.batch");
	assert_non_null(line);
	assert_non_null(strstr(line, "x-delivery-limit is 5, not 20"));
	assert_non_null(strstr(line, "x-overflow is drop-head, not reject-publish"));
	assert_non_null(strstr(line, "x-dead-letter-exchange is not set, not facefleet.dead"));
	assert_non_null(strstr(line, "x-dead-letter-strategy is not set, not at-least-once"));
	assert_non_null(strstr(report, "declared  queue facefleet.tracker\n"));
	/* Looking has changed nothing. */
	assert_int_equal(check(false), 1);
	assert_non_null(strstr(report, "x-delivery-limit is 5, not 20"));
}

static void test_link_stops_at_a_queue_with_other_arguments(void **state)
{
	(void)state;
	struct error err;

	declare(&(struct topology_queue){.name = BATCH, .arguments = {{.key = "x-queue-type", .text = "classic"}}});
	struct amqp_link *link = post_open(&post, &url, "worker", TOPOLOGY_JOBS, NULL);
	assert_int_equal(amqp_link_wait_ready(link, TIMEOUT_MS, &err), -ENOTRECOVERABLE);
	assert_int_equal(err.code, ERROR_TOPOLOGY);
	assert_non_null(strstr(err.text, BATCH));
	assert_non_null(strstr(err.text, "x-queue-type is classic, not quorum"));
	assert_non_null(strstr(err.text, "topology --apply"));
	assert_true(post_wait(&post, &post.fatal, 1));
	assert_int_equal(post.fatal_error.code, ERROR_TOPOLOGY);

	/* Once the operator has followed the advice, the link goes on by itself. */
	broker_delete_queue(&url, BATCH);
	while (amqp_link_wait_ready(link, TIMEOUT_MS, &err) == -ENOTRECOVERABLE)
		;
	struct amqp_link_status status;
	amqp_link_status(link, &status);
	assert_true(status.connected);
	amqp_link_free(link);
}

static void test_exchange_of_another_type(void **state)
{
	(void)state;
	struct connection c;
	struct error err;
	const struct topology_exchange wrong = {.name = TOPOLOGY_JOBS_EXCHANGE, .type = "fanout"};

	broker_connect(&url, &c);
	assert_int_equal(topology_declare_exchange(&c, &wrong, &err), 0);
	connection_close(&c, true);
	assert_int_equal(check(false), 1);
	assert_non_null(strstr(report, "differs   exchange facefleet.jobs"));
	assert_non_null(strstr(report, "fanout"));
}

static void test_check_says_who_does_not_answer(void **state)
{
	(void)state;
	struct error err;

	url.hosts[0].port = 1;
	assert_int_equal(topology_check(&url, false, 2000, stdout, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "127.0.0.1:1/"));
}

/* Every way a message goes through the topology, end to end. */
static void test_messages_take_their_ways(void **state)
{
	(void)state;
	static const int64_t delays[] = {50, 0};
	char retry[ENVELOPE_SHORT_SIZE];
	const struct amqp_consumer_settings consumer = {
	    .queue = TOPOLOGY_CALLBACKS_QUEUE, .prefetch = 10, .on_delivery = post_on_delivery, .arg = &post};
	struct amqp_link_settings settings = {
	    .url = &url, .name = "all", .topology = TOPOLOGY_ALL, .delays = {.callbacks = delays}};
	struct amqp_link *link;

	post.ack = true;
	assert_int_equal(amqp_link_new(&link, &settings, NULL), 0);
	post.receiver = link;
	assert_int_equal(amqp_link_add_consumer(link, &consumer), 0);
	assert_int_equal(amqp_link_start(link, NULL), 0);
	/* A reply with a callback reaches the callbacks, and the tracker through the events; a quiet one only the
	 * latter.
	 */
	post_send(&post, link, TOPOLOGY_REPLIES_EXCHANGE, "task.batch.succeeded.callback", 1, 10, true);
	post_send(&post, link, TOPOLOGY_REPLIES_EXCHANGE, "task.batch.succeeded.quiet", 2, 10, true);
	/* A retry comes back to the callbacks after its delay. */
	topology_retry_queue(TOPOLOGY_RETRY_CALLBACKS, delays[0], retry);
	post_send(&post, link, "", retry, 3, 10, true);
	post_send(&post, link, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_PARKED_KEY, 4, 10, true);
	post_send(&post, link, TOPOLOGY_JOBS_EXCHANGE, "realtime", 5, 10, true);
	/* A report of a delivery reaches the tracker. */
	post_send(&post, link, TOPOLOGY_EVENTS_EXCHANGE, "delivery.batch.delivered", 6, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, TIMEOUT_MS), 0);
	assert_int_equal(post_read(&post, &post.outcomes[AMQP_CONFIRMED]), 6);
	assert_true(post_wait(&post, &post.distinct, 2));
	assert_true(post.seen[1] && post.seen[3]);
	amqp_link_free(link);
	assert_int_equal(broker_count_ready(&url, TOPOLOGY_TRACKER_QUEUE), 3);
	assert_int_equal(broker_count_ready(&url, TOPOLOGY_DEAD_PARKED_QUEUE), 1);
	assert_int_equal(broker_count_ready(&url, topology_lane_queue(LANE_REALTIME)), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_check_and_apply),
    CASE(test_check_names_each_difference_and_goes_on),
    CASE(test_link_stops_at_a_queue_with_other_arguments),
    CASE(test_exchange_of_another_type),
    CASE(test_check_says_who_does_not_answer),
    CASE(test_messages_take_their_ways),
};

RUN_TESTS(tests)
