#include "run.h"

#include <string.h>

#include "cli/output/progress.h"

static const struct progress_counts half = {
    .read = 3000,
    .skipped = 500,
    .refused = 2,
    .sent = 1200,
    .answered = 998,
    .same = 600,
    .different = 395,
    .failed = 3,
    .fraction = 1,
    .waiting = true,
};

static void assert_text(struct buffer *out, const char *expected)
{
	assert_string_equal((char *)out->data, expected);
	buffer_finish(out);
}

static void test_bar(void **state)
{
	struct buffer out = {0};

	(void)state;
	progress_format_bar(&half, 20, 200, &out);
	assert_text(&out, "[============            ]  50 % 1,500, 20.0/s, 1 min 15 s left, 5 failed");
}

static void test_bar_before_the_first_measurement(void **state)
{
	struct progress_counts counts = {.fraction = 0, .waiting = true};
	struct buffer out = {0};

	(void)state;
	progress_format_bar(&counts, -1, 200, &out);
	assert_text(&out, "0");
}

static void test_bar_of_unknown_length(void **state)
{
	struct progress_counts counts = half;
	struct buffer out = {0};

	(void)state;
	counts.fraction = -1;
	counts.note = "queue full, waiting";
	progress_format_bar(&counts, 20, 200, &out);
	assert_text(&out, "1,500, 20.0/s, 5 failed, queue full, waiting");
}

static void test_bar_is_cut(void **state)
{
	struct buffer out = {0};

	(void)state;
	progress_format_bar(&half, 20, 10, &out);
	assert_text(&out, "[=========");
}

static void test_bar_when_all_is_done(void **state)
{
	struct progress_counts counts = {.read = 2, .sent = 2, .fraction = 1};
	struct buffer out = {0};

	(void)state;
	progress_format_bar(&counts, 0, 200, &out);
	assert_text(&out, "[========================] 100 % 2, 0.0/s");
}

static void test_line(void **state)
{
	struct progress_counts counts = half;
	struct buffer out = {0};

	(void)state;
	progress_format_line(&counts, 0.2, &out);
	assert_text(&out, "1,200 sent, 998 answered, 50 %, 0.2/s, 2 h 05 min left, 5 failed");
	counts.waiting = false;
	counts.refused = counts.failed = 0;
	progress_format_line(&counts, 100, &out);
	assert_text(&out, "1,200 sent, 56 %, 100.0/s, 13 s left");
}

static void test_summary(void **state)
{
	struct progress_counts counts = half;
	struct buffer out = {0};

	(void)state;
	counts.lost = 4;
	progress_format_summary(&counts, 10, &out);
	assert_text(&out, "1,200 sent, 998 answered (600 same, 395 different, 3 failed), 4 without a reply, 2 refused, "
			  "500 skipped (had a result), 10.0 s, 100.4/s");
	counts = (struct progress_counts){
	    .sent = 7, .answered = 7, .stored = 5, .failed = 2, .waiting = true, .enrolling = true};
	progress_format_summary(&counts, 2, &out);
	assert_text(&out, "7 sent, 7 answered (5 stored, 2 failed), 2.0 s, 3.5/s");
	counts = (struct progress_counts){.sent = 1234567};
	progress_format_summary(&counts, 0, &out);
	assert_text(&out, "1,234,567 sent, 0.0 s");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_bar),
    cmocka_unit_test(test_bar_before_the_first_measurement),
    cmocka_unit_test(test_bar_of_unknown_length),
    cmocka_unit_test(test_bar_is_cut),
    cmocka_unit_test(test_bar_when_all_is_done),
    cmocka_unit_test(test_line),
    cmocka_unit_test(test_summary),
};

RUN_TESTS(tests)
