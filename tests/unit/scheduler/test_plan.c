#include "../run.h"

#include <string.h>

#include "scheduler/plan.h"

static int64_t next(const struct plan *plan, int64_t after_ms)
{
	struct error err = {0};
	int64_t out;

	if (plan_next(plan, after_ms, &out, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

static void test_once(void **state)
{
	const struct plan plan = {.cron = "", .time_zone = ""};

	(void)state;
	assert_int_equal(next(&plan, 1000), 0);
}

static void test_intervals_stay_where_they_are(void **state)
{
	const struct plan plan = {.cron = "", .time_zone = "", .every_ms = 60000, .from_ms = 1000};

	(void)state;
	assert_int_equal(next(&plan, 1000), 61000);
	assert_int_equal(next(&plan, 60999), 61000);
	/* Late, and much later: those that were missed come to one. */
	assert_int_equal(next(&plan, 61007), 121000);
	assert_int_equal(next(&plan, 61000 + 600 * 60000 + 5), 61000 + 601 * 60000);
	assert_int_equal(next(&plan, 500), 1000);
}

static void test_by_cron(void **state)
{
	const struct plan plan = {.cron = "0 9 * * *", .time_zone = "Asia/Kolkata"};

	(void)state;
	assert_int_equal(next(&plan, INT64_C(1795608000000)), INT64_C(1795663800000));
}

static void test_faults(void **state)
{
	const struct plan plans[] = {
	    {.cron = "0 9 * *", .time_zone = ""},
	    {.cron = "0 9 * * *", .time_zone = "Nowhere"},
	    {.cron = "", .time_zone = "", .every_ms = 1},
	    {.cron = "", .time_zone = "", .every_ms = INT64_MAX},
	    {.cron = "", .time_zone = "", .every_ms = -60000},
	};

	(void)state;
	for (size_t i = 0; i < array_size(plans); i++) {
		struct error err = {0};
		int64_t out;

		assert_true(plan_next(&plans[i], 0, &out, &err) < 0);
		assert_int_equal(err.code, ERROR_CONFIG);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_once),
    cmocka_unit_test(test_intervals_stay_where_they_are),
    cmocka_unit_test(test_by_cron),
    cmocka_unit_test(test_faults),
};

RUN_TESTS(tests)
