#include "amqp/depths.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker.h"
#include "fixture.h"
#include "run.h"
#include "wait.h"

#define PARKED "facefleet.dead.parked"

static struct amqp_depths *depths;

static int set_up(void **state)
{
	int r = fixture_set_up(state);

	depths = amqp_depths_new(&url, TOPOLOGY_ALL);
	return depths ? r : -1;
}

static int tear_down(void **state)
{
	amqp_depths_free(depths);
	return fixture_tear_down(state);
}

static const struct amqp_depth *read_depth(const char *queue)
{
	const struct amqp_depth *rows;
	struct error err = {0};
	unsigned count;

	if (amqp_depths_read(depths, &rows, &count, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(count > 0 && count <= AMQP_DEPTHS_MOST);
	for (unsigned i = 0; i < count; i++)
		if (strcmp(rows[i].queue, queue) == 0)
			return &rows[i];
	fail_msg("no %s", queue);
	return NULL;
}

/* Confirmed messages may be counted a little later. */
static void wait_for_ready(unsigned count)
{
	WAIT_UNTIL(read_depth(PARKED)->ready == count);
}

static void send(struct amqp_link *link, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		post_send(&post, link, "", PARKED, i + 1, 10, true);
	assert_int_equal(amqp_link_wait_confirms(link, 60000), 0);
}

static void test_counts_what_waits(void **state)
{
	struct amqp_link *link = post_open_ready(&post, &url, "filler", TOPOLOGY_JOBS, NULL);

	(void)state;
	assert_true(read_depth(PARKED)->exists);
	assert_int_equal(read_depth(PARKED)->ready, 0);
	assert_false(read_depth("facefleet.tracker")->exists);
	send(link, 3);
	wait_for_ready(3);
	send(link, 2);
	wait_for_ready(5);
	assert_int_equal(read_depth(PARKED)->consumers, 0);
	amqp_link_free(link);
}

static void test_parts_of_the_topology(void **state)
{
	struct amqp_depths *parts = amqp_depths_new(&url, TOPOLOGY_TRACKER);
	const struct amqp_depth *rows;
	struct error err = {0};
	bool tracker = false;
	unsigned count;

	(void)state;
	assert_non_null(parts);
	if (amqp_depths_read(parts, &rows, &count, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < count; i++) {
		assert_string_not_equal(rows[i].queue, topology_lane_queue(LANE_BATCH));
		tracker = tracker || strcmp(rows[i].queue, TOPOLOGY_TRACKER_QUEUE) == 0;
	}
	assert_true(tracker);
	amqp_depths_free(parts);
}

static void test_nothing_is_declared(void **state)
{
	(void)state;
	assert_false(read_depth(PARKED)->exists);
	assert_false(read_depth(PARKED)->exists);
}

/* The broker lists a connection some time after it was made. */
static void test_connects_again(void **state)
{
	struct amqp_link *link = post_open_ready(&post, &url, "filler", TOPOLOGY_JOBS, NULL);
	int64_t until = clock_monotonic_ms() + 30000;
	const struct amqp_depth *rows;
	struct error err = {0};
	unsigned count;

	(void)state;
	assert_true(read_depth(PARKED)->exists);
	while (!broker_close_connection("facefleet depths"))
		assert_true(clock_monotonic_ms() < until);
	assert_true(amqp_depths_read(depths, &rows, &count, &err) < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
	assert_true(read_depth(PARKED)->exists);
	amqp_link_free(link);
}

static void test_no_broker(void **state)
{
	const struct amqp_depth *rows;
	struct error err = {0};
	unsigned count;

	(void)state;
	amqp_depths_free(depths);
	url.hosts[0].port = 1;
	depths = amqp_depths_new(&url, TOPOLOGY_ALL);
	assert_non_null(depths);
	assert_true(amqp_depths_read(depths, &rows, &count, &err) < 0);
	assert_int_equal(err.code, ERROR_CONNECTION);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_counts_what_waits, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_parts_of_the_topology, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_nothing_is_declared, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_connects_again, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_no_broker, set_up, tear_down),
};

RUN_TESTS(tests)
