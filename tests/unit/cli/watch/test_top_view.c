#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/watch/top_view.h"

static const struct amqp_depth before[] = {
    {.queue = "facefleet.jobs.batch", .exists = true, .ready = 10},
    {.queue = "facefleet.tracker", .exists = false},
    {.queue = "facefleet.retry.batch.1000", .exists = true, .ready = 1},
    {.queue = "facefleet.retry.callbacks.5000", .exists = true},
};
static const struct amqp_depth now[] = {
    {.queue = "facefleet.jobs.batch", .exists = true, .ready = 4, .consumers = 2},
    {.queue = "facefleet.tracker", .exists = true, .ready = 7},
    {.queue = "facefleet.retry.batch.1000", .exists = true, .ready = 1},
    {.queue = "facefleet.retry.callbacks.5000", .exists = true},
    {.queue = "facefleet.callbacks", .exists = false},
};
static const struct muster_member worker = {.beat = {.worker = "w\033[2J", .host = "h"}};

static char *printed(const struct top_view *view)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(top_view_print(view, out, (struct terminal){0}), 0);
	fclose(out);
	return text;
}

static void assert_shows(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void test_a_fleet(void **state)
{
	struct top_view view = {
	    .unix_ms = 1764108000000,
	    .depths = now,
	    .before = before,
	    .queue_count = 4,
	    .elapsed_ms = 2000,
	    .tasks = {.span_ms = 10000, .succeeded = 123, .failed = 5, .timed = 128, .p50_ms = 12.25, .p99_ms = 80},
	    .workers = &worker,
	    .worker_count = 1,
	};

	(void)state;
	view.tasks.errors[0] = (struct recent_errors){.code = ERROR_NO_FACE, .count = 5};
	view.tasks.error_count = 1;
	char *text = printed(&view);
	assert_shows(text, "2025-11-25T22:00:00.000Z   1 worker\n");
	assert_shows(text, "facefleet.jobs.batch            4      -3.0          2\n");
	assert_shows(text, "facefleet.tracker               7         -          0\n");
	assert_shows(text, "facefleet.retry.batch.1000      1      +0.0          0\n");
	assert_null(strstr(text, "facefleet.retry.callbacks.5000"));
	assert_shows(text, "12.3 succeeded   0.5 failed   0.0 retried   (last 10 s)\n");
	assert_shows(text, "p50 12.2 ms   p99 80.0 ms   of 128\n");
	assert_shows(text, "no_face 5");
	assert_shows(text, "w\\x1b[2J");
	assert_null(strchr(text, '\033'));
	free(text);
}

static void test_nothing_is_there(void **state)
{
	const struct top_view view = {.depths = now + 4, .queue_count = 1, .trouble = "no \033 broker"};

	(void)state;
	char *text = printed(&view);
	assert_shows(text, "no \\x1b broker\n");
	assert_shows(text, "No queue of facefleet");
	assert_shows(text, "No worker answers");
	assert_shows(text, "0 workers");
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_fleet),
    cmocka_unit_test(test_nothing_is_there),
};

RUN_TESTS(tests)
