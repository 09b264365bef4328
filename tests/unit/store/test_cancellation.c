#include "store/cancellation.h"

#include "run.h"

#include <stdio.h>
#include <string.h>

#include "files.h"
#include "store/tasks.h"

#define ID "01930000-0000-7000-8000-000000000001"
#define OTHER "01930000-0000-7000-8000-000000000002"

static struct store_files files;
static struct store *store;

static int set_up(void **state)
{
	struct store_settings settings = {0};

	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings.url = files.urls[0];
	if (store_migrate(&settings, NULL, NULL, NULL) < 0)
		return -1;
	return store_open(&store, &settings, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	store_files_finish(&files);
	return 0;
}

static void say(enum task_state task_state)
{
	const struct task_change change = {.task_id = ID,
					   .state = task_state,
					   .attempt = 2,
					   .at_ms = 1,
					   .op = "verify",
					   .user_id = "ann",
					   .reference = "r"};

	assert_int_equal(tasks_apply(store, &change, 1, NULL, NULL), 0);
}

static struct cancellation cancel(const char *id)
{
	struct cancellation c;
	struct error err = {0};

	if (cancellation_record(store, id, NULL, &c, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

/* The reply that is recorded. */
static int read_reply(void *arg, const struct task_row *row, struct error *err)
{
	assert_non_null(row->now.reply);
	assert_int_equal(row->now.state, TASK_FINAL_FAILED);
	assert_string_equal(row->now.error_code, "cancelled");
	return reply_decode(arg, ENCODING_JSON, row->now.reply, row->now.reply_size, err);
}

static void assert_cancelled(const char *id, const char *user_id, int attempt)
{
	struct error err = {0};
	struct reply reply;
	bool found;

	if (tasks_find(store, id, read_reply, &reply, &found, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(found);
	assert_string_equal(reply.task_id, id);
	assert_int_equal(reply.state, TASK_FINAL_FAILED);
	assert_int_equal(reply.error.code, ERROR_CANCELLED);
	assert_string_equal(reply.user_id, user_id);
	assert_int_equal(reply.attempt, attempt);
	assert_true(reply.finished_at_ms > 0);
	reply_finish(&reply);
}

static void test_a_running_task_is_cancelled(void **state)
{
	(void)state;
	say(TASK_RUNNING);
	struct cancellation c = cancel(ID);
	assert_true(c.accepted);
	assert_true(c.known);
	assert_int_equal(c.stood, TASK_RUNNING);
	assert_cancelled(ID, "ann", 2);
	/* What comes of it later does not count. */
	say(TASK_SUCCEEDED);
	assert_cancelled(ID, "ann", 2);
	c = cancel(ID);
	assert_false(c.accepted);
	assert_int_equal(c.stood, TASK_FINAL_FAILED);
}

static void test_what_has_ended_stays(void **state)
{
	(void)state;
	say(TASK_SUCCEEDED);
	struct cancellation c = cancel(ID);
	assert_false(c.accepted);
	assert_true(c.known);
	assert_int_equal(c.stood, TASK_SUCCEEDED);
}

static void test_a_task_nobody_spoke_of(void **state)
{
	(void)state;
	struct cancellation c = cancel(OTHER);
	assert_true(c.accepted);
	assert_false(c.known);
	assert_cancelled(OTHER, "", 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_a_running_task_is_cancelled, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_what_has_ended_stays, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_a_task_nobody_spoke_of, set_up, tear_down),
};

RUN_TESTS(tests)
