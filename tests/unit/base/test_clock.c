#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

static void test_monotonic(void **state)
{
	int64_t ns = clock_monotonic_ns();
	int64_t ms = clock_monotonic_ms();

	(void)state;
	assert_true(ns > 0);
	assert_true(ms >= ns / 1000000);
	assert_true(clock_monotonic_ns() >= ns);
}

static void test_unix_time_is_this_century(void **state)
{
	(void)state;
	assert_true(clock_unix_ms() > INT64_C(1700000000000));
	assert_true(clock_unix_ms() < INT64_C(4102444800000));
}

static void test_format(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {1764082387123, "2025-11-25T14:53:07.123Z"},
	    {951782400007, "2000-02-29T00:00:00.007Z"},
	    {-1, "1969-12-31T23:59:59.999Z"},
	    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
	    {INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z"},
	    /* What no four-digit year can say. */
	    {INT64_C(253402300800000), "1970-01-01T00:00:00.000Z"},
	    {INT64_C(-62167219200001), "1970-01-01T00:00:00.000Z"},
	    {INT64_MAX, "1970-01-01T00:00:00.000Z"},
	    {INT64_MIN, "1970-01-01T00:00:00.000Z"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		char text[CLOCK_RFC3339_SIZE];
		clock_format_rfc3339(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
	    {"1970-01-01T00:00:00Z", 0},
	    {"1970-01-01t00:00:00.5z", 500},
	    {"2025-11-25T14:53:07.123Z", 1764082387123},
	    {"2025-11-25T14:53:07.1239999999Z", 1764082387123},
	    {"2025-11-25T15:53:07.12+01:00", 1764082387120},
	    {"2025-11-25T04:23:07-10:30", 1764082387000},
	    {"2000-02-29T00:00:00Z", 951782400000},
	    {"1969-12-31T23:59:59.999Z", -1},
	    {"2016-12-31T23:59:60Z", 1483228800000},
	    {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
	    {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		int64_t ms = 77;
		assert_int_equal(clock_parse_rfc3339(cases[i].text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void test_parse_refusals(void **state)
{
	static const char *const cases[] = {
	    "",
	    "2025-11-25",
	    "2025-11-25T14:53:07",
	    "2025-11-25 14:53:07Z",
	    "2025-11-25T14:53:07.Z",
	    "2025-11-25T14:53:07Zx",
	    "2025-11-25T14:53:07+0100",
	    "2025-11-25T14:53:07+24:00",
	    "2025-11-25T14:53:07+01:60",
	    "2025-13-25T14:53:07Z",
	    "2025-00-25T14:53:07Z",
	    "2025-11-31T14:53:07Z",
	    "2025-02-29T14:53:07Z",
	    "1900-02-29T14:53:07Z",
	    "2025-11-00T14:53:07Z",
	    "2025-11-25T24:53:07Z",
	    "2025-11-25T14:60:07Z",
	    "2025-11-25T14:53:61Z",
	    "-123-11-25T14:53:07Z",
	    "+123-11-25T14:53:07Z",
	    " 2025-1-25T14:53:07Z",
	    "2025- 1-25T14:53:07Z",
	    "2025-11-25T14:53:+7Z",
	    "2025-11-25T14:53:07+-1:00",
	    /* The offset leads out of the years that can be written. */
	    "0000-01-01T00:00:00+00:01",
	    "9999-12-31T23:59:59-00:01",
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		int64_t ms = 77;
		if (clock_parse_rfc3339(cases[i], &ms) != -EINVAL)
			fail_msg("\"%s\" was read", cases[i]);
		assert_int_equal(ms, 77);
	}
}

static void test_durations(void **state)
{
	(void)state;
	assert_true(clock_elapsed_ms(1000000, 3500000) == 2.5);
	assert_true(clock_elapsed_ms(3500000, 1000000) == -2.5);
}

static void test_timespec(void **state)
{
	int64_t before = clock_monotonic_ns();
	struct timespec at = clock_timespec_in_ms(1500);
	int64_t after = clock_monotonic_ns();
	int64_t ns = (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;

	(void)state;
	assert_in_range(ns, before + 1500000000, after + 1500000000);
	assert_in_range(at.tv_nsec, 0, 999999999);
	/* A wait of "as long as you like" must not wrap around into the past. */
	at = clock_timespec_in_ms(INT64_MAX);
	assert_true(at.tv_sec > before / 1000000000);
	assert_in_range(at.tv_nsec, 0, 999999999);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_monotonic),      cmocka_unit_test(test_unix_time_is_this_century),
    cmocka_unit_test(test_format),         cmocka_unit_test(test_parse),
    cmocka_unit_test(test_parse_refusals), cmocka_unit_test(test_durations),
    cmocka_unit_test(test_timespec),
};

RUN_TESTS(tests)
