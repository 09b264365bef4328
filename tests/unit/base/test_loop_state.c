#include "run.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop_state.h"

static void turns_until_it_is_stuck(void **state)
{
	struct loop_state loop = {0};
	char why[80] = "";

	(void)state;
	loop_state_init(&loop);
	assert_true(loop_state_is_turning(&loop, 60000, why, sizeof(why)));
	loop_state_turned(&loop, clock_monotonic_ms() - 70000);
	assert_false(loop_state_is_turning(&loop, 60000, why, sizeof(why)));
	assert_non_null(strstr(why, "the loop has not turned for 7"));
	loop_state_turned(&loop, clock_monotonic_ms());
	assert_true(loop_state_is_turning(&loop, 60000, why, sizeof(why)));
}

static void serves_until_it_stops(void **state)
{
	struct loop_state loop = {0};
	char why[80] = "";

	(void)state;
	loop_state_init(&loop);
	assert_true(loop_state_is_serving(&loop, why, sizeof(why)));
	atomic_store(&loop.stopping, true);
	assert_false(loop_state_is_serving(&loop, why, sizeof(why)));
	assert_string_equal(why, "stopping");
}

static void *report(void *arg)
{
	struct error err = {0};

	error_set(&err, ERROR_CONFIG, "a fault");
	loop_state_fail(arg, &err);
	return NULL;
}

static void the_first_fault_stays(void **state)
{
	struct loop_state loop = {0};
	struct error err = {0};
	struct error late = {0};
	pthread_t threads[4];

	(void)state;
	loop_state_init(&loop);
	assert_false(loop_state_has_failed(&loop));
	assert_int_equal(loop_state_fault(&loop, &err), 0);
	for (size_t i = 0; i < array_size(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, report, &loop), 0);
	for (size_t i = 0; i < array_size(threads); i++)
		pthread_join(threads[i], NULL);
	error_set(&late, ERROR_INTERNAL, "another");
	loop_state_fail(&loop, &late);
	assert_true(loop_state_has_failed(&loop));
	assert_true(loop_state_fault(&loop, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal(err.text, "a fault");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(turns_until_it_is_stuck),
    cmocka_unit_test(serves_until_it_stops),
    cmocka_unit_test(the_first_fault_stays),
};

RUN_TESTS(tests)
