#include "run.h"

#include <string.h>

#include "callback/retry_plan.h"

static struct retry_plan parsed(const char *text)
{
	struct retry_plan plan;
	struct error err = {0};

	if (retry_plan_parse(&plan, text, &err) != 0)
		fail_msg("%s", err.text);
	return plan;
}

static void reads_units(void **state)
{
	(void)state;
	struct retry_plan s = parsed("250ms, 5s,3m ,  2 h");

	assert_int_equal(s.count, 4);
	assert_int_equal(s.delays_ms[0], 250);
	assert_int_equal(s.delays_ms[1], 5000);
	assert_int_equal(s.delays_ms[2], 180000);
	assert_int_equal(s.delays_ms[3], 7200000);
}

static void collects_each_wait_once_rising(void **state)
{
	(void)state;
	struct retry_plan s = parsed("10h, 5s, 10h, 5m, 5000ms");

	assert_int_equal(s.count, 5);
	assert_int_equal(s.distinct_ms[0], 5000);
	assert_int_equal(s.distinct_ms[1], 300000);
	assert_int_equal(s.distinct_ms[2], 36000000);
	assert_int_equal(s.distinct_ms[3], 0);
	assert_int_equal(retry_plan_shortest(&s), 5000);
}

static void follows_the_schedule(void **state)
{
	(void)state;
	struct retry_plan s = parsed("5s, 5m");

	assert_int_equal(retry_plan_next(&s, 1, -1), 5000);
	assert_int_equal(retry_plan_next(&s, 2, 0), 300000);
	assert_int_equal(retry_plan_next(&s, 3, -1), -1);
	assert_int_equal(retry_plan_next(&s, 1000, 5), -1);
}

static void honours_the_endpoints_wish_within_the_schedule(void **state)
{
	(void)state;
	struct retry_plan s = parsed("5s, 5m, 2h");

	assert_int_equal(retry_plan_next(&s, 1, 5000), 5000);
	assert_int_equal(retry_plan_next(&s, 1, 5001), 300000);
	assert_int_equal(retry_plan_next(&s, 2, 1000), 300000);
	assert_int_equal(retry_plan_next(&s, 1, 7200001), 7200000);
	assert_int_equal(retry_plan_next(&s, 1, INT64_MAX), 7200000);
	assert_int_equal(retry_plan_next(&s, 4, 1000), -1);
}

static void takes_as_many_as_there_is_room_for(void **state)
{
	(void)state;
	struct retry_plan s = parsed("1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s");

	assert_int_equal(s.count, RETRY_PLAN_MAX_STEPS);
	assert_int_equal(s.distinct_ms[RETRY_PLAN_MAX_STEPS], 0);
	assert_int_equal(retry_plan_next(&s, 16, -1), 16000);
	assert_int_equal(retry_plan_next(&s, 1, 999999999), 16000);
}

static void refuses_what_is_no_schedule(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    " ",
	    ",",
	    "5s,",
	    ",5s",
	    "5s,,5m",
	    "5",
	    "s",
	    "-5s",
	    "5.5s",
	    "0s",
	    "5d",
	    "5S",
	    "5s 5m",
	    "169h",
	    "99999999999999999999s",
	    "5sms",
	    "5s;5m",
	    "0x5s",
	    "+5s",
	    "1s,2s,3s,4s,5s,6s,7s,8s,9s,10s,11s,12s,13s,14s,15s,16s,17s",
	};

	for (size_t i = 0; i < array_size(bad); i++) {
		struct retry_plan s = {.count = 99};
		struct error err = {0};

		if (retry_plan_parse(&s, bad[i], &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_int_equal(s.count, 99);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_units),
    cmocka_unit_test(collects_each_wait_once_rising),
    cmocka_unit_test(follows_the_schedule),
    cmocka_unit_test(honours_the_endpoints_wish_within_the_schedule),
    cmocka_unit_test(takes_as_many_as_there_is_room_for),
    cmocka_unit_test(refuses_what_is_no_schedule),
};

RUN_TESTS(tests)
