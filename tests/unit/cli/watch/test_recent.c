#include "run.h"

#include <stdlib.h>

#include "cli/watch/recent.h"

static struct recent *recent;
static struct recent_summary summary;

static int set_up(void **state)
{
	(void)state;
	recent = calloc(1, sizeof(*recent));
	return recent ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(recent);
	return 0;
}

static void test_nothing(void **state)
{
	(void)state;
	recent_summarise(recent, 1000, 500, &summary);
	assert_int_equal(summary.succeeded + summary.failed + summary.retried + summary.timed, 0);
	assert_int_equal(summary.error_count, 0);
	assert_int_equal(summary.span_ms, 500);
}

static void test_what_is_older_does_not_count(void **state)
{
	(void)state;
	recent_add(recent, 100, TASK_FINAL_FAILED, ERROR_NO_FACE, 1000);
	for (int i = 1; i <= 100; i++)
		recent_add(recent, 500 + i, TASK_SUCCEEDED, ERROR_NONE, 101 - i);
	recent_add(recent, 700, TASK_RETRYING, ERROR_ATTEMPT_TIMEOUT, -1);
	recent_summarise(recent, 1000, 500, &summary);
	assert_int_equal(summary.succeeded, 100);
	assert_int_equal(summary.failed, 0);
	assert_int_equal(summary.retried, 1);
	assert_int_equal(summary.timed, 100);
	assert_true(summary.p50_ms == 50 && summary.p99_ms == 99);
	recent_summarise(recent, 1000, 901, &summary);
	assert_int_equal(summary.failed, 1);
	assert_int_equal(summary.timed, 101);
}

static void test_one_task(void **state)
{
	(void)state;
	recent_add(recent, 100, TASK_SUCCEEDED, ERROR_NONE, 7);
	recent_summarise(recent, 100, 500, &summary);
	assert_true(summary.p50_ms == 7 && summary.p99_ms == 7);
}

static void test_errors_by_number(void **state)
{
	(void)state;
	recent_add(recent, 1, TASK_FINAL_FAILED, ERROR_INTERNAL, 1);
	recent_add(recent, 2, TASK_FINAL_FAILED, ERROR_POISON, 1);
	recent_add(recent, 3, TASK_RETRYING, ERROR_INTERNAL, -1);
	recent_add(recent, 4, TASK_FINAL_FAILED, ERROR_NO_FACE, 1);
	recent_summarise(recent, 5, 100, &summary);
	assert_int_equal(summary.error_count, 3);
	assert_int_equal(summary.errors[0].code, ERROR_INTERNAL);
	assert_int_equal(summary.errors[0].count, 2);
	assert_int_equal(summary.errors[1].code, ERROR_NO_FACE);
	assert_int_equal(summary.errors[2].code, ERROR_POISON);
}

static void test_more_than_is_remembered(void **state)
{
	(void)state;
	for (int i = 0; i < RECENT_MOST + 1000; i++)
		recent_add(recent, i, TASK_SUCCEEDED, ERROR_NONE, i);
	recent_summarise(recent, RECENT_MOST + 1000, 1000000, &summary);
	assert_int_equal(summary.succeeded, RECENT_MOST);
	assert_int_equal(summary.span_ms, RECENT_MOST);
	recent_summarise(recent, RECENT_MOST + 1000, 10, &summary);
	assert_int_equal(summary.succeeded, 10);
	assert_int_equal(summary.span_ms, 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_what_is_older_does_not_count, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_one_task, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_errors_by_number, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_more_than_is_remembered, set_up, tear_down),
};

RUN_TESTS(tests)
