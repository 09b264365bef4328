#include "../run.h"

#include <time.h>

#include "scheduler/calendar.h"

static void test_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -200000; day < 200000; day++) {
		struct calendar_date date = calendar_date_of(day);
		time_t seconds = day * CALENDAR_DAY_S;
		struct tm tm;

		gmtime_r(&seconds, &tm);
		assert_int_equal(date.year, tm.tm_year + 1900);
		assert_int_equal(date.month, tm.tm_mon + 1);
		assert_int_equal(date.day, tm.tm_mday);
		assert_int_equal(calendar_weekday(day), tm.tm_wday);
		assert_int_equal(calendar_day_number(date.year, date.month, date.day), day);
	}
}

static void test_leap_years(void **state)
{
	(void)state;
	assert_int_equal(calendar_month_days(2024, 2), 29);
	assert_int_equal(calendar_month_days(2026, 2), 28);
	assert_int_equal(calendar_month_days(2100, 2), 28);
	assert_int_equal(calendar_month_days(2000, 2), 29);
	assert_int_equal(calendar_month_days(2026, 12), 31);
}

static void test_rounds_down(void **state)
{
	(void)state;
	assert_int_equal(calendar_floor_div(-1, 60), -1);
	assert_int_equal(calendar_floor_div(-60, 60), -1);
	assert_int_equal(calendar_floor_div(59, 60), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_agrees_with_the_c_library),
    cmocka_unit_test(test_leap_years),
    cmocka_unit_test(test_rounds_down),
};

RUN_TESTS(tests)
