#include "run.h"

#include <string.h>

#include "base/clock.h"
#include "cli/arguments/schedule_args.h"

/* 2026-11-25T12:00:00Z */
#define NOW_MS INT64_C(1795608000000)

static const struct arg_option *const tables[] = {schedule_args_options, NULL};

#define READ(out, err, ...) read_words(out, err, (const char *const[]){__VA_ARGS__, NULL})

static int read_words(struct schedule *out, struct error *err, const char *const *words)
{
	struct args args;
	int count = 0;

	while (words[count])
		count++;
	assert_int_equal(args_init(&args, count, words), 0);
	int r = args_parse(&args, count, words, tables, false, err);
	if (r >= 0)
		r = schedule_args_read(out, &args, NOW_MS, err);
	args_finish(&args);
	return r;
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"500ms", 500}, {"90s", 90000}, {"10m", 600000}, {"1h30m", 5400000}, {"2d", 172800000}, {"0s", 0}};
	static const char *const bad[] = {"",      "10",
					  "m",     "10x",
					  "-1s",   "1.5h",
					  " 1s",   "1s ",
					  "1h30",  "9999999999999d",
					  "4000d", "99999999999999999999s"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < array_size(good); i++) {
		assert_int_equal(schedule_args_duration(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < array_size(bad); i++)
		if (schedule_args_duration(bad[i], &ms) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
}

static void test_once(void **state)
{
	struct schedule s = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(READ(&s, &err, "--in", "1h30m", "--name", "later"), 0);
	assert_int_equal(s.due_ms, NOW_MS + 5400000);
	assert_int_equal(s.every_ms, 0);
	assert_string_equal(s.cron, "");
	assert_string_equal(s.name, "later");
	assert_int_equal(READ(&s, &err, "--at", "2026-12-24T18:00:00+01:00"), 0);
	assert_int_equal(s.due_ms, NOW_MS + ((29 * 24) + 5) * INT64_C(3600000));
	assert_string_equal(s.name, "");
}

static void test_again_and_again(void **state)
{
	struct schedule s = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(READ(&s, &err, "--every", "1h", "--misfire", "skip"), 0);
	assert_int_equal(s.every_ms, 3600000);
	assert_int_equal(s.due_ms, NOW_MS + 3600000);
	assert_int_equal(s.created_at_ms, NOW_MS);
	assert_int_equal(s.misfire, MISFIRE_SKIP);
	assert_int_equal(READ(&s, &err, "--cron", "0 18 * * *", "--time-zone", "Europe/Berlin"), 0);
	assert_int_equal(s.every_ms, 0);
	assert_int_equal(s.due_ms, NOW_MS + 5 * INT64_C(3600000));
	assert_string_equal(s.cron, "0 18 * * *");
	assert_string_equal(s.time_zone, "Europe/Berlin");
	assert_int_equal(s.misfire, MISFIRE_RUN_ONCE);
}

#define REFUSED(part, ...)                                                                                             \
	do {                                                                                                           \
		struct schedule s = {0};                                                                               \
		struct error err = {0};                                                                                \
		assert_true(READ(&s, &err, __VA_ARGS__) < 0);                                                          \
		assert_int_equal(err.code, ERROR_CONFIG);                                                              \
		if (!strstr(err.text, part))                                                                           \
			fail_msg("%s", err.text);                                                                      \
	} while (0)

static void test_refusals(void **state)
{
	(void)state;
	REFUSED("one of --at", "--name", "n");
	REFUSED("one of --at", "--in", "1m", "--every", "1m");
	REFUSED("--in: is there twice", "--in", "1m", "--in", "2m");
	REFUSED("in the past", "--at", "2026-11-25T11:59:59Z");
	REFUSED("ten years", "--at", "2046-11-25T11:59:59Z");
	REFUSED("not a time", "--at", "tomorrow");
	REFUSED("not a time", "--in", "tomorrow");
	REFUSED("a second or more", "--every", "10ms");
	REFUSED("--cron: minute", "--cron", "61 * * * *");
	REFUSED("--cron: is empty", "--cron", "");
	REFUSED("there is no Europe/Bonn", "--cron", "@daily", "--time-zone", "Europe/Bonn");
	REFUSED("--time-zone: goes with --cron", "--every", "1h", "--time-zone", "Europe/Berlin");
	REFUSED("goes with --every and --cron", "--in", "1h", "--misfire", "skip");
	REFUSED("run-once or skip", "--every", "1h", "--misfire", "maybe");
	REFUSED("UTF-8", "--in", "1h", "--name", "\xff");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_durations),
    cmocka_unit_test(test_once),
    cmocka_unit_test(test_again_and_again),
    cmocka_unit_test(test_refusals),
};

RUN_TESTS(tests)
