#include "gateway/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "files.h"
#include "gateway/gateway_private.h"
#include "run.h"
#include "store/store_private.h"

#define ID "01930000-0000-7000-8000-000000000001"

static struct store_files files;
static struct gateway gateway;
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	gateway = (struct gateway){.recent = recent_new(10), .has_store = true, .store = {.url = files.urls[0]}};
	return gateway.recent ? store_migrate(&gateway.store, NULL, NULL, NULL) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	store = NULL;
	recent_free(gateway.recent);
	store_files_finish(&files);
	return 0;
}

/* A task that ended so long ago, and that the tracker has not recorded, or that was removed. */
static void remember(int64_t ago_ms)
{
	static const struct buffer reply = {0};
	int64_t now_ms = clock_unix_ms();
	struct recent_task task = {.task_id = ID, .op = JOB_SEARCH, .state = TASK_PENDING, .attempt = 1};

	task.accepted_at_ms = task.updated_at_ms = now_ms - ago_ms;
	task.deadline_ms = now_ms + 3600000;
	recent_add(gateway.recent, &task);
	recent_update(gateway.recent, ID, TASK_SUCCEEDED, 1, now_ms - ago_ms, &reply);
}

static bool is_shown(int expected)
{
	cleanup_with(buffer_finish) struct buffer out = {0};
	const struct visitor visitor = {0};
	struct lookup lookup = {.visitor = &visitor, .as_event = true, .out = &out};
	struct error err = {0};

	assert_int_equal(lookup_task(&gateway, &store, ID, &lookup, &err) < 0 ? -1 : 0, expected);
	return lookup.visible;
}

static void test_what_was_not_recorded_yet(void **state)
{
	(void)state;
	remember(0);
	assert_true(is_shown(0));
}

static void test_what_was_removed_since(void **state)
{
	(void)state;
	remember(RECENT_STALE_MS + 1000);
	assert_false(is_shown(0));
}

static void test_while_the_store_is_away(void **state)
{
	(void)state;
	gateway.has_store = false;
	remember(RECENT_STALE_MS + 1000);
	assert_true(is_shown(0));
}

/* A store that gives a task's row, and fails before it has said that this was all. */
static void test_half_an_answer_of_the_store(void **state)
{
	static const char *const statements[] = {
	    "INSERT INTO tasks VALUES ('" ID
	    "', 1, 'running', 1, 1, '', '', '', 0, NULL, 1, 0, 'match', 'batch', '', '',"
	    " '', '', 1, 1)",
	    "ALTER TABLE tasks RENAME TO whole",
	    "CREATE VIEW tasks AS SELECT * FROM whole UNION ALL SELECT task_id, transitions, abs(-9223372036854775807 "
	    "- 1),"
	    " attempt, said, worker, error_code, error_text, next_attempt, reply, updated, finished, op, scene, "
	    "user_id,"
	    " collection, reference, owner, accepted, deadline FROM whole",
	};

	(void)state;
	assert_false(is_shown(0)); /* opens it */
	for (size_t i = 0; i < array_size(statements); i++)
		assert_int_equal(database_execute(store->database, statements[i], NULL, 0, NULL), 0);
	assert_false(is_shown(-1));
	remember(0);
	assert_true(is_shown(0));
}

static void test_nobody_knows_it(void **state)
{
	(void)state;
	assert_false(is_shown(0));
	gateway.has_store = false;
	store_close(store);
	store = NULL;
	assert_false(is_shown(-1));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_what_was_not_recorded_yet),   CASE(test_what_was_removed_since), CASE(test_while_the_store_is_away),
    CASE(test_half_an_answer_of_the_store), CASE(test_nobody_knows_it),
};

RUN_TESTS(tests)
