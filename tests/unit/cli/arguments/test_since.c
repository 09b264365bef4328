#include "run.h"

#include <errno.h>

#include "cli/arguments/since.h"

#define NOW INT64_C(1764108000000)

static void assert_time(const char *text, int64_t expected)
{
	int64_t time = -1;

	assert_int_equal(since_parse(text, NOW, &time), 0);
	assert_int_equal(time, expected);
}

static void assert_refused(const char *text)
{
	int64_t time = -1;

	assert_int_equal(since_parse(text, NOW, &time), -EINVAL);
	assert_int_equal(time, -1);
}

static void test_how_long_ago(void **state)
{
	(void)state;
	assert_time("0s", NOW);
	assert_time("90s", NOW - 90000);
	assert_time("10m", NOW - 600000);
	assert_time("1h", NOW - 3600000);
	assert_time("2d", NOW - 2 * INT64_C(86400000));
}

static void test_times(void **state)
{
	(void)state;
	assert_time("2025-11-25T22:00:00Z", NOW);
	assert_time("2025-11-25T23:00:00.5+01:00", NOW + 500);
}

static void test_nonsense(void **state)
{
	static const char *const wrong[] = {
	    "", "h", "1", "-1h", " 1h", "1.5h", "1 h", "1w", "1hh", "1h1m", "99999999999999999999d", "yesterday"};

	(void)state;
	for (size_t i = 0; i < array_size(wrong); i++)
		assert_refused(wrong[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_how_long_ago),
    cmocka_unit_test(test_times),
    cmocka_unit_test(test_nonsense),
};

RUN_TESTS(tests)
