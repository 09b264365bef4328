#include "run.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "lanes.h"

#define WAIT_MS 30000

/* Stands in for the link: the linker takes these instead of the ones in common/amqp. */
static int prefetch_of[LANE_COUNT]; /* 0: paused */
static unsigned calls;

void amqp_link_pause(struct amqp_link *link, unsigned consumer)
{
	(void)link;
	prefetch_of[consumer] = 0;
	calls++;
}

void amqp_link_resume(struct amqp_link *link, unsigned consumer, uint16_t prefetch)
{
	(void)link;
	prefetch_of[consumer] = prefetch;
	calls++;
}

struct fixture {
	struct metrics *metrics;
	struct lanes *lanes;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->metrics = metrics_new();
	const struct lanes_settings settings = {
	    .prefetch = {[LANE_REALTIME] = 6, [LANE_BATCH] = 32},
	    .realtime_wait_target_ms = 100,
	    .metrics = f->metrics,
	};
	f->lanes = lanes_new(&settings);
	assert_non_null(f->lanes);
	prefetch_of[LANE_REALTIME] = 6;
	prefetch_of[LANE_BATCH] = 32;
	calls = 0;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	lanes_free(f->lanes);
	metrics_free(f->metrics);
	free(f);
	return 0;
}

/* Realtime jobs that wait too long, until the batch lane has so much prefetch, or the worker is degraded. */
static void press(struct fixture *f, int batch_prefetch, bool degraded)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int64_t until_ms = clock_monotonic_ms() + WAIT_MS;

	while (prefetch_of[LANE_BATCH] != batch_prefetch || lanes_degraded(f->lanes) != degraded) {
		assert_true(clock_monotonic_ms() < until_ms);
		lanes_observe(f->lanes, LANE_REALTIME, 150);
		lanes_tick(f->lanes);
		nanosleep(&pause, NULL);
	}
}

static double gauge(const struct fixture *f, const char *name)
{
	return metric_value(metrics_gauge(f->metrics, name, "", NULL));
}

static void test_batch_yields_to_realtime(void **state)
{
	struct fixture *f = *state;

	assert_float_equal(gauge(f, "facefleet_batch_share"), 1, 0);
	press(f, 16, false);
	assert_float_equal(gauge(f, "facefleet_batch_share"), 0.5, 0);
	press(f, 0, false);
	assert_float_equal(gauge(f, "facefleet_batch_share"), 0, 0);
	assert_float_equal(gauge(f, "facefleet_degraded"), 0, 0);
	press(f, 0, true);
	assert_float_equal(gauge(f, "facefleet_degraded"), 1, 0);
	assert_int_equal(prefetch_of[LANE_REALTIME], 6);
}

static void test_batch_waits_count_but_change_nothing(void **state)
{
	struct fixture *f = *state;
	const char *labels[] = {"lane", "batch", NULL};

	lanes_observe(f->lanes, LANE_BATCH, 100000);
	lanes_tick(f->lanes);
	assert_int_equal(calls, 0);
	assert_float_equal(metric_value(metrics_histogram(f->metrics, "facefleet_queue_wait_seconds", "", labels,
							  metrics_latency_bounds, metrics_latency_bound_count)),
			   1, 0);
}

static void test_a_hold_stops_both_and_its_end_brings_back_what_was(void **state)
{
	struct fixture *f = *state;

	press(f, 16, false);
	lanes_hold(f->lanes, true);
	assert_int_equal(prefetch_of[LANE_REALTIME], 0);
	assert_int_equal(prefetch_of[LANE_BATCH], 0);
	lanes_hold(f->lanes, false);
	assert_int_equal(prefetch_of[LANE_REALTIME], 6);
	assert_int_equal(prefetch_of[LANE_BATCH], 16);
	press(f, 0, false);
	lanes_hold(f->lanes, true);
	lanes_hold(f->lanes, false);
	assert_int_equal(prefetch_of[LANE_REALTIME], 6);
	assert_int_equal(prefetch_of[LANE_BATCH], 0);
}

static void test_a_new_prefetch_keeps_the_share(void **state)
{
	struct fixture *f = *state;

	press(f, 16, false);
	lanes_set_prefetch(f->lanes, LANE_BATCH, 8);
	assert_int_equal(prefetch_of[LANE_BATCH], 4);
	lanes_set_prefetch(f->lanes, LANE_REALTIME, 9);
	assert_int_equal(prefetch_of[LANE_REALTIME], 9);
}

static void test_a_wait_target_of_0_gives_the_share_back(void **state)
{
	struct fixture *f = *state;

	press(f, 0, true);
	lanes_set_wait_target(f->lanes, 0);
	assert_int_equal(prefetch_of[LANE_BATCH], 32);
	assert_false(lanes_degraded(f->lanes));
	assert_float_equal(gauge(f, "facefleet_batch_share"), 1, 0);
	lanes_set_wait_target(f->lanes, 100);
	press(f, 16, false);
}

static void test_who_leaves_consumes_no_more(void **state)
{
	struct fixture *f = *state;

	lanes_hold(f->lanes, true);
	lanes_leave(f->lanes);
	calls = 0;
	lanes_hold(f->lanes, false);
	lanes_set_prefetch(f->lanes, LANE_BATCH, 8);
	assert_int_equal(calls, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_batch_yields_to_realtime, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_batch_waits_count_but_change_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_a_hold_stops_both_and_its_end_brings_back_what_was, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_a_new_prefetch_keeps_the_share, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_a_wait_target_of_0_gives_the_share_back, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_who_leaves_consumes_no_more, set_up, tear_down),
};

RUN_TESTS(tests)
