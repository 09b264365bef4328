#include "../run.h"

#include <string.h>

#include "base/clock.h"
#include "scheduler/cron.h"

static int64_t ms(const char *time)
{
	int64_t out;

	assert_int_equal(clock_parse_rfc3339(time, &out), 0);
	return out;
}

/* The runs after `after` are `runs`, up to NULL. */
static void expect(const char *text, const char *zone_name, const char *after, const char *const *runs)
{
	struct time_zone *zone;
	struct error err = {0};
	struct cron cron;
	int64_t at = ms(after);

	if (time_zone_load(&zone, zone_name, &err) < 0 || cron_parse(&cron, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	for (; *runs; runs++) {
		char shown[CLOCK_RFC3339_SIZE];

		at = cron_next(&cron, zone, at);
		clock_format_rfc3339(at, shown);
		if (at != ms(*runs))
			fail_msg("%s in %s: %s instead of %s", text, zone_name, shown, *runs);
	}
	time_zone_free(zone);
}

#define EXPECT(text, zone, after, ...) expect(text, zone, after, (const char *const[]){__VA_ARGS__, NULL})

static void test_fields(void **state)
{
	(void)state;
	EXPECT("* * * * *", "", "2026-11-25T12:00:00Z", "2026-11-25T12:01:00Z", "2026-11-25T12:02:00Z");
	EXPECT("* * * * *", "", "2026-11-25T12:00:59.999Z", "2026-11-25T12:01:00Z");
	EXPECT("*/20 * * * *", "", "2026-11-25T12:05:00Z", "2026-11-25T12:20:00Z", "2026-11-25T12:40:00Z",
	       "2026-11-25T13:00:00Z");
	EXPECT("5,10-12 8-10/2 * * *", "", "2026-11-25T08:10:30Z", "2026-11-25T08:11:00Z", "2026-11-25T08:12:00Z",
	       "2026-11-25T10:05:00Z", "2026-11-25T10:10:00Z");
	EXPECT("0 0 1 jan,JUL *", "", "2026-11-25T12:00:00Z", "2027-01-01T00:00:00Z", "2027-07-01T00:00:00Z");
	EXPECT("30 9 * * mon-fri", "", "2026-11-27T09:30:00Z", "2026-11-30T09:30:00Z", "2026-12-01T09:30:00Z");
	EXPECT("0 12 * * 7", "", "2026-11-25T12:00:00Z", "2026-11-29T12:00:00Z", "2026-12-06T12:00:00Z");
	EXPECT("0 12 * * fri-sun", "", "2026-11-25T12:00:00Z", "2026-11-27T12:00:00Z", "2026-11-28T12:00:00Z",
	       "2026-11-29T12:00:00Z", "2026-12-04T12:00:00Z");
	EXPECT("0 12 * * 0-0", "", "2026-11-25T12:00:00Z", "2026-11-29T12:00:00Z", "2026-12-06T12:00:00Z");
	EXPECT("  0\t12  *   * * ", "", "2026-11-25T12:00:00Z", "2026-11-26T12:00:00Z");
	EXPECT("0 0 31 * *", "", "2026-11-25T12:00:00Z", "2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z",
	       "2027-03-31T00:00:00Z");
}

static void test_day_or_weekday(void **state)
{
	(void)state;
	/* Both are restricted: either is enough. */
	EXPECT("0 0 1 * mon", "", "2026-11-25T12:00:00Z", "2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z",
	       "2026-12-07T00:00:00Z");
	/* So 31 February is no fault here. */
	EXPECT("0 0 31 2 mon", "", "2026-11-25T12:00:00Z", "2027-02-01T00:00:00Z", "2027-02-08T00:00:00Z");
}

static void test_shorthands(void **state)
{
	(void)state;
	EXPECT("@hourly", "", "2026-11-25T12:00:00Z", "2026-11-25T13:00:00Z");
	EXPECT("@daily", "", "2026-11-25T12:00:00Z", "2026-11-26T00:00:00Z");
	EXPECT("@Weekly", "", "2026-11-25T12:00:00Z", "2026-11-29T00:00:00Z");
	EXPECT("@monthly", "", "2026-11-25T12:00:00Z", "2026-12-01T00:00:00Z");
	EXPECT("@yearly", "", "2026-11-25T12:00:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
}

static void test_leap_days(void **state)
{
	(void)state;
	EXPECT("0 0 29 2 *", "", "2026-11-25T12:00:00Z", "2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z");
	/* 2100 has none. */
	EXPECT("0 0 29 2 *", "", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z");
}

static void test_summer_begins_in_berlin(void **state)
{
	(void)state;
	EXPECT("30 1 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z");
	/* 02:30 is left out: it runs when the clock goes from 02:00 to 03:00. */
	EXPECT("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
	EXPECT("0,30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z",
	       "2026-03-29T01:30:00Z", "2026-03-30T00:00:00Z");
	/* Every hour follows the hours as they pass. */
	EXPECT("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z");
}

static void test_summer_ends_in_berlin(void **state)
{
	(void)state;
	/* 02:30 comes twice, at 00:30 and 01:30 UTC. */
	EXPECT("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
	EXPECT("*/20 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:40:00Z", "2026-10-26T01:00:00Z");
	/* Asked within the second of both. */
	EXPECT("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z");
	EXPECT("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z",
	       "2026-10-25T02:30:00Z");
	EXPECT("30 0-23 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
	EXPECT("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:00:00Z");
}

static void test_new_york(void **state)
{
	(void)state;
	EXPECT("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z",
	       "2026-03-09T06:30:00Z");
	EXPECT("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z",
	       "2026-11-02T06:30:00Z");
	EXPECT("15 * * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T05:15:00Z", "2026-11-01T06:15:00Z",
	       "2026-11-01T07:15:00Z");
	/* After the years that the zone's file lists. */
	EXPECT("0 12 * * *", "America/New_York", "2060-07-01T12:00:00Z", "2060-07-01T16:00:00Z");
}

static void test_unusual_zones(void **state)
{
	(void)state;
	EXPECT("0 9 * * *", "Asia/Kolkata", "2026-11-25T12:00:00Z", "2026-11-26T03:30:00Z");
	/* Half an hour of summer time. */
	EXPECT("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z");
	EXPECT("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", "2026-04-04T14:45:00Z",
	       "2026-04-05T15:15:00Z");
	/* A day that never was. */
	EXPECT("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z",
	       "2011-12-30T22:00:00Z");
}

static void test_faults_name_the_field(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} cases[] = {
	    {"60 * * * *", "minute"},     {"* 24 * * *", "hour"},
	    {"* * 0 * *", "day"},         {"* * 32 * *", "day"},
	    {"* * * 13 *", "month"},      {"* * * 0 *", "month"},
	    {"* * * * 8", "weekday"},     {"* * * foo *", "month"},
	    {"* * * * mond", "weekday"},  {"a * * * *", "minute"},
	    {"5-1 * * * *", "minute"},    {"1, * * * *", "minute"},
	    {",1 * * * *", "minute"},     {"*/0 * * * *", "minute"},
	    {"*/ * * * *", "minute"},     {"5/10 * * * *", "minute"},
	    {"-1 * * * *", "minute"},     {"1- * * * *", "minute"},
	    {"1-2-3 * * * *", "minute"},  {"** * * * *", "minute"},
	    {"1000 * * * *", "minute"},   {"*/99 * * * *", "minute"},
	    {"+1 * * * *", "minute"},     {"1.5 * * * *", "minute"},
	    {"", "minute is missing"},    {"* * * *", "weekday is missing"},
	    {"* *", "day is missing"},    {"* * * * * *", "behind the weekday"},
	    {"@reboot", "unknown word"},  {"@", "unknown word"},
	    {"0 0 31 2 *", "day"},        {"0 0 30 2 *", "day"},
	    {"0 0 31 4,6,9,11 *", "day"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct error err = {0};
		struct cron cron;

		if (cron_parse(&cron, cases[i].text, &err) == 0)
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_int_equal(err.code, ERROR_CONFIG);
		if (!strstr(err.text, cases[i].field))
			fail_msg("\"%s\": %s", cases[i].text, err.text);
	}
}

static void test_ends_with_time(void **state)
{
	struct time_zone *zone;
	struct cron cron;

	(void)state;
	assert_int_equal(time_zone_load(&zone, "", NULL), 0);
	assert_int_equal(cron_parse(&cron, "* * * * *", NULL), 0);
	assert_int_equal(cron_next(&cron, zone, INT64_MAX), 0);
	assert_true(cron_next(&cron, zone, INT64_MIN) > 0);
	time_zone_free(zone);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_fields),
    cmocka_unit_test(test_day_or_weekday),
    cmocka_unit_test(test_shorthands),
    cmocka_unit_test(test_leap_days),
    cmocka_unit_test(test_summer_begins_in_berlin),
    cmocka_unit_test(test_summer_ends_in_berlin),
    cmocka_unit_test(test_new_york),
    cmocka_unit_test(test_unusual_zones),
    cmocka_unit_test(test_faults_name_the_field),
    cmocka_unit_test(test_ends_with_time),
};

RUN_TESTS(tests)
