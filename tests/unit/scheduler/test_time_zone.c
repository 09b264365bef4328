#include "../run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "scheduler/time_zone.h"

static const char *const zones[] = {"Europe/Berlin",     "America/New_York",  "Asia/Kolkata",     "Australia/Lord_Howe",
				    "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia",     "Etc/GMT+5",
				    "Asia/Tehran",       "Europe/Dublin",     "Antarctica/Troll", "UTC",
				    "America/St_Johns",  "Africa/Abidjan",    "Pacific/Chatham"};

static struct time_zone *load(const char *name)
{
	struct time_zone *zone;
	struct error err = {0};

	if (time_zone_load(&zone, name, &err) < 0)
		fail_msg("%s", err.text);
	return zone;
}

static int64_t seconds(const char *time)
{
	int64_t ms;

	assert_int_equal(clock_parse_rfc3339(time, &ms), 0);
	return ms / 1000;
}

/* This program has one thread: it may set $TZ, which gives another reading of the same files. */
static void test_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(zones); i++) {
		struct time_zone *zone = load(zones[i]);

		setenv("TZ", zones[i], 1);
		tzset();
		/* 1935 to 2095, in steps that are no multiple of a day. */
		for (int64_t at = INT64_C(-1100000000); at < INT64_C(3950000000); at += 83177) {
			time_t moment = at;
			struct tm tm;

			localtime_r(&moment, &tm);
			if (time_zone_offset(zone, at) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, the library says %ld", zones[i], (long long)at,
					 time_zone_offset(zone, at), tm.tm_gmtoff);
		}
		time_zone_free(zone);
	}
	unsetenv("TZ");
	tzset();
}

static void test_local_times(void **state)
{
	struct time_zone *berlin = load("Europe/Berlin");
	struct time_zone *apia = load("Pacific/Apia");

	(void)state;
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-01-15T12:00:00Z")), seconds("2026-01-15T11:00:00Z"));
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-07-15T12:00:00Z")), seconds("2026-07-15T10:00:00Z"));
	/* Left out. */
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-03-29T01:59:59Z")), seconds("2026-03-29T00:59:59Z"));
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-03-29T02:00:00Z")), seconds("2026-03-29T01:00:00Z"));
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-03-29T02:30:00Z")), seconds("2026-03-29T01:00:00Z"));
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-03-29T03:00:00Z")), seconds("2026-03-29T01:00:00Z"));
	/* Twice: the first. */
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-10-25T02:30:00Z")), seconds("2026-10-25T00:30:00Z"));
	assert_int_equal(time_zone_to_unix(berlin, seconds("2026-10-25T03:00:00Z")), seconds("2026-10-25T02:00:00Z"));
	/* Beyond what the file lists. */
	assert_int_equal(time_zone_to_unix(berlin, seconds("2090-07-15T12:00:00Z")), seconds("2090-07-15T10:00:00Z"));
	/* A whole day was left out. */
	assert_int_equal(time_zone_to_unix(apia, seconds("2011-12-30T12:00:00Z")), seconds("2011-12-30T10:00:00Z"));
	time_zone_free(berlin);
	time_zone_free(apia);
}

static void test_nothing_is_utc(void **state)
{
	struct time_zone *zone = load("");

	(void)state;
	assert_int_equal(time_zone_offset(zone, 0), 0);
	assert_int_equal(time_zone_to_unix(zone, 1234567890), 1234567890);
	time_zone_free(zone);
}

static void test_names_that_are_refused(void **state)
{
	static const char *const names[] = {
	    "../../../etc/passwd",
	    "Europe/../Europe/Berlin",
	    "/etc/localtime",
	    ".",
	    " ",
	    "Europe/",
	    "Europe//Berlin",
	    "Berlin",
	    "Europe",
	    "tzdata.zi",
	    "Europe/Berlin\n",
	    "-",
	    "leapseconds",
	    "right/Europe/Berlin",
	    "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < array_size(names); i++) {
		struct time_zone *zone = NULL;
		struct error err = {0};

		if (time_zone_load(&zone, names[i], &err) == 0)
			fail_msg("\"%s\" was taken", names[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_null(zone);
	}
}

/* No prefix of a file is one, and none makes the reader look beyond it. */
static void test_files_that_are_cut(void **state)
{
	struct buffer file = {0};
	struct error err = {0};
	struct time_zone *zone;

	(void)state;
	assert_int_equal(buffer_read_file(&file, "/usr/share/zoneinfo/Europe/Berlin", 1 << 20, &err), 0);
	assert_int_equal(time_zone_read(&zone, file.data, file.size, &err), 0);
	time_zone_free(zone);
	for (size_t size = 0; size < file.size; size++) {
		uint8_t *cut = malloc(size + 1);
		assert_non_null(cut);
		memcpy(cut, file.data, size);
		assert_true(time_zone_read(&zone, cut, size, &err) < 0);
		free(cut);
	}
	buffer_finish(&file);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_agrees_with_the_c_library),
    cmocka_unit_test(test_local_times),
    cmocka_unit_test(test_nothing_is_utc),
    cmocka_unit_test(test_names_that_are_refused),
    cmocka_unit_test(test_files_that_are_cut),
};

RUN_TESTS(tests)
