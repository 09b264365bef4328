#include "run.h"

#include "yielding.h"

#define TARGET_MS 100
#define TICK_MS 100
#define START_MS INT64_C(1000000)

/* A worker's ten ticks a second, with `waits` realtime jobs before each, the last `late` of them too long. */
struct run {
	struct yielding yielding;
	int64_t now_ms;
	unsigned steps;
};

static struct run start(double jitter)
{
	struct run run = {.now_ms = START_MS};

	yielding_init(&run.yielding, TARGET_MS, jitter);
	return run;
}

static bool tick(struct run *run, unsigned waits, unsigned late)
{
	for (unsigned i = 0; i < waits; i++)
		yielding_observe(&run->yielding, i + late >= waits ? TARGET_MS + 1 : TARGET_MS, run->now_ms);
	bool stepped = yielding_turn(&run->yielding, run->now_ms);
	run->steps += stepped;
	run->now_ms += TICK_MS;
	return stepped;
}

static void pass(struct run *run, int64_t ms, unsigned waits, unsigned late)
{
	for (int64_t until_ms = run->now_ms + ms; run->now_ms < until_ms;)
		tick(run, waits, late);
}

/* Milliseconds until the next step, with so many waits before each tick. */
static int64_t until_step(struct run *run, unsigned waits, unsigned late)
{
	int64_t from_ms = run->now_ms;

	while (!tick(run, waits, late))
		assert_true(run->now_ms - from_ms < 120000);
	return run->now_ms - TICK_MS - from_ms;
}

static void go_down_to(struct run *run, enum yielding_step step)
{
	while (run->yielding.step < step)
		until_step(run, 1, 1);
}

static void test_stays_while_waits_are_within_target(void **state)
{
	struct run run = start(0);

	(void)state;
	pass(&run, 60000, 3, 0);
	assert_int_equal(run.steps, 0);
	assert_int_equal(yielding_prefetch(&run.yielding, 32), 32);
	assert_float_equal(yielding_share(&run.yielding), 1, 0);
}

static void test_a_tenth_may_be_late(void **state)
{
	struct run run = start(0);

	(void)state;
	pass(&run, 10000, 10, 1);
	assert_int_equal(run.steps, 0);
	tick(&run, 10, 3);
	assert_int_equal(run.yielding.step, YIELDING_HALF);
}

static void test_goes_down_step_by_step(void **state)
{
	static const uint16_t prefetches[] = {32, 16, 8, 4, 0, 0};
	static const double shares[] = {1, 0.5, 0.25, 0.125, 0, 0};
	struct run run = start(0);

	(void)state;
	for (unsigned step = YIELDING_NOT; step <= YIELDING_DEGRADED; step++) {
		assert_int_equal(run.yielding.step, step);
		assert_int_equal(yielding_prefetch(&run.yielding, 32), prefetches[step]);
		assert_float_equal(yielding_share(&run.yielding), shares[step], 0);
		if (step == YIELDING_NOT)
			assert_int_equal(until_step(&run, 1, 1), 0);
		else if (step < YIELDING_ALL)
			assert_in_range(until_step(&run, 1, 1), 100, 300);
		else if (step == YIELDING_ALL)
			assert_in_range(until_step(&run, 1, 1), 900, 1100);
	}
	pass(&run, 10000, 1, 1);
	assert_int_equal(run.steps, YIELDING_DEGRADED);
}

static void test_a_small_prefetch_stays_above_nothing(void **state)
{
	struct run run = start(0);

	(void)state;
	go_down_to(&run, YIELDING_EIGHTH);
	assert_int_equal(yielding_prefetch(&run.yielding, 2), 1);
	go_down_to(&run, YIELDING_ALL);
	assert_int_equal(yielding_prefetch(&run.yielding, 2), 0);
}

static void test_one_late_job_is_one_step(void **state)
{
	struct run run = start(0);

	(void)state;
	tick(&run, 1, 1);
	pass(&run, YIELDING_PATIENCE_MS - 2 * TICK_MS, 0, 0);
	assert_int_equal(run.steps, 1);
	assert_int_equal(run.yielding.step, YIELDING_HALF);
}

static void test_comes_back_step_by_step(void **state)
{
	struct run run = start(0);

	(void)state;
	go_down_to(&run, YIELDING_DEGRADED);
	for (unsigned step = YIELDING_DEGRADED; step-- > YIELDING_NOT;) {
		assert_in_range(until_step(&run, 1, 0), YIELDING_PATIENCE_MS - TICK_MS, YIELDING_PATIENCE_MS + TICK_MS);
		assert_int_equal(run.yielding.step, step);
	}
	pass(&run, 60000, 1, 0);
	assert_int_equal(run.yielding.step, YIELDING_NOT);
}

static void test_comes_back_without_any_realtime_job(void **state)
{
	struct run run = start(0);

	(void)state;
	go_down_to(&run, YIELDING_ALL);
	pass(&run, 5 * YIELDING_PATIENCE_MS, 0, 0);
	assert_int_equal(run.yielding.step, YIELDING_NOT);
}

static void test_late_jobs_hold_it_where_it_is(void **state)
{
	struct run run = start(0);

	(void)state;
	go_down_to(&run, YIELDING_DEGRADED);
	for (unsigned i = 0; i < 20; i++) {
		pass(&run, YIELDING_PATIENCE_MS / 2, 0, 0);
		assert_false(tick(&run, 1, 1));
	}
	assert_int_equal(run.yielding.step, YIELDING_DEGRADED);
}

/* A load that is too much at full share and right at half: steps become rare. */
static void test_does_not_flap(void **state)
{
	struct run run = start(0);
	int64_t previous_ms = 0;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		until_step(&run, 1, 1);
		assert_int_equal(run.yielding.step, YIELDING_HALF);
		int64_t held_ms = until_step(&run, 1, 0);
		assert_int_equal(run.yielding.step, YIELDING_NOT);
		assert_true(held_ms > previous_ms * 3 / 2 || held_ms >= YIELDING_MOST_PATIENCE_MS - TICK_MS);
		assert_true(held_ms <= YIELDING_MOST_PATIENCE_MS + TICK_MS);
		previous_ms = held_ms;
	}
	assert_true(previous_ms >= YIELDING_MOST_PATIENCE_MS - TICK_MS);
}

static void test_calm_makes_patience_short_again(void **state)
{
	struct run run = start(0);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		until_step(&run, 1, 1);
		until_step(&run, 1, 0);
	}
	pass(&run, 2 * YIELDING_MOST_PATIENCE_MS, 1, 0);
	until_step(&run, 1, 1);
	assert_in_range(until_step(&run, 1, 0), YIELDING_PATIENCE_MS - TICK_MS, YIELDING_PATIENCE_MS + TICK_MS);
}

/* After a long overload the way back is not as slow as its steps were at the worst. */
static void test_steps_back_that_hold_come_sooner_and_sooner(void **state)
{
	struct run run = start(0);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		until_step(&run, 1, 1);
		until_step(&run, 1, 0);
	}
	go_down_to(&run, YIELDING_ALL);
	int64_t first_ms = until_step(&run, 1, 0);
	/* That it held is known only when the second one is due. */
	assert_in_range(until_step(&run, 1, 0), first_ms - 2 * TICK_MS, first_ms);
	assert_in_range(until_step(&run, 1, 0), first_ms / 2 - 2 * TICK_MS, first_ms / 2);
	assert_in_range(until_step(&run, 1, 0), first_ms / 4 - 2 * TICK_MS, first_ms / 4);
}

static void test_jitter_lengthens_the_way_back(void **state)
{
	struct run run = start(0.5);

	(void)state;
	until_step(&run, 1, 1);
	assert_in_range(until_step(&run, 1, 0), YIELDING_PATIENCE_MS * 3 / 2 - TICK_MS,
			YIELDING_PATIENCE_MS * 3 / 2 + TICK_MS);
}

static void test_target_0_never_yields(void **state)
{
	struct yielding yielding;

	(void)state;
	yielding_init(&yielding, 0, 0);
	for (int64_t now_ms = START_MS; now_ms < START_MS + 5000; now_ms += TICK_MS) {
		yielding_observe(&yielding, 100000, now_ms);
		assert_false(yielding_turn(&yielding, now_ms));
	}
}

static void test_a_new_target_begins_with_nothing_seen(void **state)
{
	struct run run = start(0);

	(void)state;
	go_down_to(&run, YIELDING_HALF);
	assert_false(yielding_set_target(&run.yielding, TARGET_MS));
	yielding_observe(&run.yielding, 2 * TARGET_MS, run.now_ms);
	assert_false(yielding_set_target(&run.yielding, 4 * TARGET_MS));
	pass(&run, 1000, 1, 1);
	assert_int_equal(run.yielding.step, YIELDING_HALF);
	assert_false(yielding_set_target(&run.yielding, TARGET_MS));
	until_step(&run, 1, 1);
	assert_int_equal(run.yielding.step, YIELDING_QUARTER);
}

static void test_a_new_target_of_0_undoes_all(void **state)
{
	struct run run = start(0);

	(void)state;
	assert_false(yielding_set_target(&run.yielding, 0));
	assert_false(yielding_set_target(&run.yielding, TARGET_MS));
	go_down_to(&run, YIELDING_DEGRADED);
	assert_true(yielding_set_target(&run.yielding, 0));
	assert_int_equal(run.yielding.step, YIELDING_NOT);
	pass(&run, 1000, 1, 1);
	assert_int_equal(run.yielding.step, YIELDING_NOT);
}

static void test_old_waits_are_forgotten(void **state)
{
	struct run run = start(0);

	(void)state;
	yielding_observe(&run.yielding, 2 * TARGET_MS, run.now_ms);
	run.now_ms += 1250;
	assert_false(tick(&run, 0, 0));
	/* Nor does a clock that seems to go back, as two threads read it, undo anything. */
	yielding_observe(&run.yielding, 2 * TARGET_MS, run.now_ms);
	yielding_observe(&run.yielding, 0, run.now_ms - 1000);
	assert_true(tick(&run, 0, 0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_stays_while_waits_are_within_target),
    cmocka_unit_test(test_a_tenth_may_be_late),
    cmocka_unit_test(test_goes_down_step_by_step),
    cmocka_unit_test(test_a_small_prefetch_stays_above_nothing),
    cmocka_unit_test(test_one_late_job_is_one_step),
    cmocka_unit_test(test_comes_back_step_by_step),
    cmocka_unit_test(test_comes_back_without_any_realtime_job),
    cmocka_unit_test(test_late_jobs_hold_it_where_it_is),
    cmocka_unit_test(test_does_not_flap),
    cmocka_unit_test(test_calm_makes_patience_short_again),
    cmocka_unit_test(test_steps_back_that_hold_come_sooner_and_sooner),
    cmocka_unit_test(test_jitter_lengthens_the_way_back),
    cmocka_unit_test(test_target_0_never_yields),
    cmocka_unit_test(test_a_new_target_begins_with_nothing_seen),
    cmocka_unit_test(test_a_new_target_of_0_undoes_all),
    cmocka_unit_test(test_old_waits_are_forgotten),
};

RUN_TESTS(tests)
