/* What happens before the broker is asked, and when it never answers: the link is not started. */
#include "../run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scheduler/dispatcher.h"
#include "scratch.h"

#define TTL_MS 60000
#define HOUR_MS INT64_C(3600000)

static struct scratch *scratch;
static struct amqp_url url;
static struct amqp_link *link_to_nowhere;
static struct mailbox box;
static struct metrics *registry;
static struct meters meters;
static struct window window;
static struct dispatcher d;
static struct dispatcher_turn turn;
static struct error err;
static int64_t now_ms;

/* Fails with the text of what went wrong. */
#define OK(call)                                                                                                       \
	do {                                                                                                           \
		if ((call) < 0)                                                                                        \
			fail_msg("%s", err.text);                                                                      \
	} while (0)

static int set_up(void **state)
{
	struct schedule_lock lock;
	bool held;

	scratch_set_up(state);
	scratch = *state;
	now_ms = clock_unix_ms();
	OK(amqp_url_parse(&url, "amqp://guest:guest@127.0.0.1:1/", &err));
	const struct amqp_link_settings settings = {
	    .url = &url, .name = "test", .publish_window = 1, .publish_backlog = 10};
	OK(amqp_link_new(&link_to_nowhere, &settings, &err));
	assert_int_equal(mailbox_init(&box), 0);
	registry = metrics_new();
	meters_init(&meters, registry);
	const struct dispatcher_tools tools = {
	    .box = &box, .link = link_to_nowhere, .meters = &meters, .misfire_after_ms = 60000};
	assert_int_equal(dispatcher_init(&d, &tools), 0);
	assert_int_equal(window_init(&window), 0);
	OK(schedules_lock(scratch->store, "me", now_ms, TTL_MS, &lock, &held, &err));
	turn =
	    (struct dispatcher_turn){.store = scratch->store, .token = lock.token, .window = &window, .is_held = true};
	return 0;
}

static int tear_down(void **state)
{
	amqp_link_free(link_to_nowhere);
	dispatcher_finish(&d);
	window_finish(&window);
	metrics_free(registry);
	mailbox_finish(&box);
	return scratch_tear_down(state);
}

static void fill(void)
{
	dispatcher_sort(&d);
	OK(window_fill(&window, scratch->store, now_ms, dispatcher_has, &d, &err));
}

static double runs(enum run_outcome outcome)
{
	return metric_value(meters.runs[outcome]);
}

struct seen {
	int64_t due_ms;
	char task_id[UUID_SIZE];
};

static int note(void *arg, const struct schedule *schedule, struct error *unused)
{
	struct seen *seen = arg;

	(void)unused;
	seen->due_ms = schedule->due_ms;
	memcpy(seen->task_id, schedule->task_id, UUID_SIZE);
	return 0;
}

static struct seen find(const char *schedule_id)
{
	struct seen seen = {.due_ms = -1};
	bool found;

	OK(schedules_find(scratch->store, schedule_id, note, &seen, &found, &err));
	return seen;
}

#define FIRST "00000000-0000-7000-8000-000000000001"

static void test_removed_before_it_was_claimed(void **state)
{
	bool found;

	(void)state;
	scratch_add(scratch->store, 1, now_ms, 0, MISFIRE_RUN_ONCE);
	fill();
	OK(schedules_remove(scratch->store, FIRST, &found, &err));
	OK(dispatcher_start(&d, &turn, &err));
	assert_true(turn.is_held);
	assert_true(runs(RUN_GONE) == 1);
	assert_true(dispatcher_is_idle(&d));
	assert_int_equal(d.count, 0);
}

static void test_another_leads(void **state)
{
	struct schedule_lock lock;
	bool held;

	(void)state;
	scratch_add(scratch->store, 1, now_ms, 0, MISFIRE_RUN_ONCE);
	fill();
	OK(schedules_lock(scratch->store, "another", now_ms + TTL_MS, TTL_MS, &lock, &held, &err));
	assert_true(held);
	OK(dispatcher_start(&d, &turn, &err));
	assert_false(turn.is_held);
	assert_int_equal(d.count, 0);
	assert_string_equal(find(FIRST).task_id, "");
	/* What was taken out of the window must be read again. */
	assert_true(window_is_due(&window, now_ms));
}

static void test_missed_and_skipped(void **state)
{
	(void)state;
	scratch_add(scratch->store, 1, now_ms - 2 * HOUR_MS, HOUR_MS, MISFIRE_SKIP);
	fill();
	OK(dispatcher_start(&d, &turn, &err));
	assert_true(runs(RUN_SKIPPED) == 1);
	OK(dispatcher_record(&d, &turn, &err));
	assert_int_equal(d.count, 0);
	int64_t due_ms = find(FIRST).due_ms;
	/* The first whole interval after now, and in the window again. */
	assert_int_equal(due_ms % HOUR_MS, 0);
	assert_true(due_ms > now_ms && due_ms <= clock_unix_ms() + HOUR_MS);
	assert_string_equal(find(FIRST).task_id, "");
}

static void test_what_can_never_be_sent_is_left_out(void **state)
{
	(void)state;
	scratch_add(scratch->store, 1, now_ms, 0, MISFIRE_RUN_ONCE); /* its job is an empty map */
	fill();
	OK(dispatcher_start(&d, &turn, &err));
	assert_true(runs(RUN_INVALID) == 1);
	OK(dispatcher_record(&d, &turn, &err));
	assert_int_equal(find(FIRST).due_ms, -1);
}

/* A job that is fit to be sent. */
static void make_sendable(const char *schedule_id)
{
	static const uint8_t bytes[] = "\x82\xa2op\xa8unenroll\xa7user_id\xa3"
				       "ann";
	struct schedule s = {
	    .name = "",
	    .owner = "",
	    .op = "unenroll",
	    .scene = "batch",
	    .user_id = "ann",
	    .collection = "default",
	    .cron = "",
	    .time_zone = "",
	    .due_ms = now_ms,
	    .job = bytes,
	    .job_size = sizeof(bytes) - 1,
	};
	bool inserted;

	strcpy(s.schedule_id, schedule_id);
	OK(schedules_add(scratch->store, &s, &inserted, &err));
}

static void test_the_task_stands_before_the_broker_answers(void **state)
{
	(void)state;
	make_sendable(FIRST);
	fill();
	OK(dispatcher_start(&d, &turn, &err));
	assert_false(dispatcher_is_idle(&d));
	struct seen before = find(FIRST);
	assert_true(uuid_is_valid(before.task_id));
	/* It is in hand: a window that is read anew leaves it out. */
	window.is_stale = true;
	fill();
	assert_int_equal(window_size(&window), 0);
	/* Nothing to record, and nothing more to start. */
	OK(dispatcher_record(&d, &turn, &err));
	OK(dispatcher_start(&d, &turn, &err));
	assert_int_equal(d.count, 1);
	/* The end: no outcome ever came. The schedule is due still, as the same task. */
	amqp_link_free(link_to_nowhere);
	link_to_nowhere = NULL;
	dispatcher_read_mail(&d);
	assert_true(dispatcher_is_idle(&d));
	assert_int_equal(d.count, 0);
	assert_string_equal(find(FIRST).task_id, before.task_id);
	assert_int_equal(find(FIRST).due_ms, now_ms);
}

static void test_abandoned_when_the_lock_is_lost(void **state)
{
	(void)state;
	make_sendable(FIRST);
	scratch_add(scratch->store, 2, now_ms - 2 * HOUR_MS, HOUR_MS, MISFIRE_SKIP);
	fill();
	OK(dispatcher_start(&d, &turn, &err));
	assert_int_equal(d.count, 2);
	dispatcher_abandon(&d);
	/* What is under way is waited for, without being recorded. */
	assert_int_equal(d.count, 1);
	OK(dispatcher_record(&d, &turn, &err));
	dispatcher_sort(&d);
	assert_false(dispatcher_has(&d, FIRST));
}

/* More than the link takes: some wait to be tried again when the dispatcher ends. */
static void test_ends_while_runs_wait_to_be_tried_again(void **state)
{
	char id[UUID_SIZE];

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "00000000-0000-7000-8000-0000000000%02u", i + 1);
		make_sendable(id);
	}
	fill();
	OK(dispatcher_start(&d, &turn, &err));
	assert_non_null(timer_heap_first(&d.retries));
	/* Of the monotonic clock, which nobody sets: the other one is decades ahead of it. */
	assert_true(dispatcher_next_ms(&d) < clock_monotonic_ms() + HOUR_MS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_removed_before_it_was_claimed),
    CASE(test_another_leads),
    CASE(test_missed_and_skipped),
    CASE(test_what_can_never_be_sent_is_left_out),
    CASE(test_the_task_stands_before_the_broker_answers),
    CASE(test_abandoned_when_the_lock_is_lost),
    CASE(test_ends_while_runs_wait_to_be_tried_again),
};

RUN_TESTS(tests)
