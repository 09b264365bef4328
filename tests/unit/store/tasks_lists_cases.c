#include "tasks_cases.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_private.h"
#include "tasks_rig.h"

struct list {
	unsigned count;
	char ids[16][UUID_SIZE];
};

static int keep_id(void *arg, const struct task_row *row, struct error *err)
{
	struct list *list = arg;

	(void)err;
	assert_null(row->now.reply);
	assert_in_range(list->count, 0, 15);
	snprintf(list->ids[list->count++], UUID_SIZE, "%s", row->now.task_id);
	return 0;
}

static struct list list_all(const struct tasks_filter *filter)
{
	struct tasks_cursor cursor = {0};
	struct list list = {0};
	struct error err = {0};
	int r;

	while ((r = tasks_list(store, filter, &cursor, 2, keep_id, &list, &err)) > 0)
		assert_true(r <= 2);
	if (r < 0)
		fail_msg("%s", err.text);
	return list;
}

static void test_lists(void **state)
{
	char ids[5][UUID_SIZE];
	struct list list;

	(void)state;
	uuid_v7(ids[0]);
	for (unsigned i = 0; i < 5; i++) {
		/* Of one moment, and yet in order. */
		memcpy(ids[i], ids[0], UUID_SIZE);
		ids[i][UUID_SIZE - 2] = (char)('0' + i);
		const struct task_change change = {.task_id = ids[i],
						   .state = i == 4 ? TASK_SUCCEEDED : TASK_RUNNING,
						   .attempt = 1,
						   .scene = i % 2 == 0 ? "batch" : "realtime",
						   .user_id = i < 3 ? user : "somebody",
						   .owner = owner,
						   .reply = (const uint8_t *)"{}",
						   .reply_size = 2,
						   .accepted_at_ms = i < 2 ? 100 : 100 + i};
		assert_int_equal(apply(&change, 1), 1);
	}
	list = list_all(&(struct tasks_filter){.owner = owner});
	assert_int_equal(list.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(list.ids[i], ids[4 - i]);
	list = list_all(&(struct tasks_filter){.owner = owner, .scene = "realtime"});
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[1], ids[1]);
	list = list_all(&(struct tasks_filter){.owner = "", .user_id = user});
	assert_int_equal(list.count, 3);
	list = list_all(&(struct tasks_filter){.owner = owner, .has_state = true, .state = TASK_SUCCEEDED});
	assert_int_equal(list.count, 1);
	assert_string_equal(list.ids[0], ids[4]);
	list = list_all(&(struct tasks_filter){.owner = owner, .since_ms = 102, .until_ms = 104});
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[0], ids[3]);
	assert_int_equal(list_all(&(struct tasks_filter){.owner = "nobody"}).count, 0);
	assert_true(list_all(&(struct tasks_filter){.has_state = true, .state = TASK_RUNNING, .owner = owner}).count ==
		    4);
}

static bool contains(const struct list *list, const char *id)
{
	for (unsigned i = 0; i < list->count; i++) {
		if (strcmp(list->ids[i], id) == 0)
			return true;
	}
	return false;
}

/* Deadlines before all others', so that these are the first of the database. */
static void test_overdue(void **state)
{
	char ids[4][UUID_SIZE];
	struct list list = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uuid_v7(ids[i]);
		const struct task_change change = {.task_id = ids[i],
						   .state = i == 2 ? TASK_SUCCEEDED : TASK_PENDING,
						   .attempt = 1,
						   .deadline_ms = i == 3 ? 0 : 9 - i};
		assert_int_equal(apply(&change, 1), 1);
	}
	assert_int_equal(tasks_overdue(store, 9, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.ids[0], ids[1]);
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.ids[1], ids[0]);
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 1, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 1);
	assert_true(say(ids[0], TASK_FINAL_FAILED, 1) && say(ids[1], TASK_FINAL_FAILED, 1));
	list.count = 0;
	assert_int_equal(tasks_overdue(store, 10, 10, keep_id, &list, NULL), 0);
	assert_int_equal(list.count, 0);
}

static void test_stuck(void **state)
{
	char id[UUID_SIZE];
	int64_t before_ms = clock_unix_ms();
	struct list list = {0};

	(void)state;
	assert_int_equal(
	    database_execute(store->database, "UPDATE tasks SET updated = 0 WHERE state = 'running'", NULL, 0, NULL),
	    0);
	uuid_v7(id);
	assert_true(say(id, TASK_RUNNING, 1));
	assert_int_equal(tasks_stuck(store, before_ms, 10, keep_id, &list, NULL), 0);
	assert_false(contains(&list, id));
	assert_int_equal(database_execute(store->database,
					  "UPDATE tasks SET updated = -1 WHERE updated > 0 AND state = 'running'", NULL,
					  0, NULL),
			 0);
	list.count = 0;
	assert_int_equal(tasks_stuck(store, before_ms, 10, keep_id, &list, NULL), 0);
	assert_string_equal(list.ids[0], id);
}

int tasks_lists_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    TASKS_CASE(test_lists),
	    TASKS_CASE(test_overdue),
	    TASKS_CASE(test_stuck),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rig_migrate, NULL);
}
