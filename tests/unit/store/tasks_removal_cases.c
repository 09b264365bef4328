#include "tasks_cases.h"

#include <stdio.h>
#include <string.h>

#include "store/store_private.h"
#include "tasks_rig.h"

static void test_purge(void **state)
{
	char ids[4][UUID_SIZE];
	struct task task;
	unsigned removed;
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uuid_v7(ids[i]);
		assert_true(say(ids[i], TASK_RUNNING, 1));
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(say(ids[i], TASK_SUCCEEDED, 1));
	const struct database_value mine = database_text(owner);
	assert_int_equal(database_execute(store->database,
					  "UPDATE tasks SET finished = 5 WHERE owner = $1 AND finished > 0", &mine, 1,
					  &err),
			 0);
	assert_int_equal(tasks_purge(store, 5, 10, &removed, &err), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(tasks_purge(store, 6, 2, &removed, &err), 0);
	assert_int_equal(removed, 2);
	check_counts();
	assert_int_equal(tasks_purge(store, 6, 2, &removed, &err), 0);
	assert_int_equal(removed, 1);
	assert_false(find(ids[0], &task));
	assert_int_equal(history(ids[0]).count, 0);
	assert_true(find(ids[3], &task));
	check_counts();
}

static void test_erase(void **state)
{
	char a[UUID_SIZE], b[UUID_SIZE], unknown[UUID_SIZE], other[UUID_SIZE], nobody[UUID_SIZE];
	struct task task;
	uint64_t removed;

	(void)state;
	say_user("a", user, a);
	say_user("b", user, b);
	say_user("", user, unknown);
	say_user("a", "another", other);
	say_user("a", "", nobody);
	assert_int_equal(tasks_erase_user(store, "a", user, &removed, NULL), 0);
	assert_int_equal(removed, 2);
	assert_false(find(a, &task) || find(unknown, &task));
	assert_int_equal(history(a).count, 0);
	assert_true(find(b, &task) && find(other, &task));
	assert_int_equal(tasks_erase_user(store, NULL, user, &removed, NULL), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(tasks_erase_user(store, NULL, "", &removed, NULL), 0);
	assert_int_equal(removed, 0);
	assert_true(find(other, &task) && find(nobody, &task));
	check_counts();
}

/* --- somebody who is a candidate in the replies of others --- */

#define MAX_CANDIDATES 3

/* A finished search whose reply lists these (up to NULL), spelled as our programs do. */
static void fill_search(struct reply *reply, const char *collection, const char *const users[MAX_CANDIDATES])
{
	static struct reply_candidate candidates[MAX_CANDIDATES];

	reply_init(reply, "", NULL);
	uuid_v7(reply->task_id);
	reply->op = JOB_SEARCH;
	reply->has_op = true;
	reply->state = TASK_SUCCEEDED;
	reply->attempt = 1;
	snprintf(reply->collection, sizeof(reply->collection), "%s", collection);
	reply->result =
	    (struct reply_result){.present = true, .has_candidates = true, .threshold = 0.3, .candidates = candidates};
	reply->timings.ms[STAGE_TOTAL] = 12.345;
	for (unsigned i = 0; i < MAX_CANDIDATES && users[i]; i++) {
		struct reply_candidate *candidate = &candidates[reply->result.candidate_count++];

		snprintf(candidate->user_id, sizeof(candidate->user_id), "%s", users[i]);
		snprintf(candidate->image_id, UUID_SIZE, "00000000-0000-7000-8000-%012x", i);
		candidate->similarity = (float)(0.9 - i / 7.0);
	}
}

static void record(const char *id, const void *reply, size_t size)
{
	const struct task_change change = {
	    .task_id = id, .state = TASK_SUCCEEDED, .attempt = 1, .owner = owner, .reply = reply, .reply_size = size};

	assert_int_equal(apply(&change, 1), 1);
}

static void record_search(const char *collection, const char *const users[MAX_CANDIDATES], char id[UUID_SIZE])
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	fill_search(&reply, collection, users);
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	memcpy(id, reply.task_id, UUID_SIZE);
	record(id, body.data, body.size);
}

static unsigned erase_candidate(const char *collection, const char *user_id)
{
	struct tasks_step step = {0};
	struct error err = {0};
	unsigned changed;
	unsigned sum = 0;
	int seen;

	do {
		seen = tasks_erase_candidate(store, collection, user_id, &step, &changed, &err);
		if (seen < 0)
			fail_msg("%s", err.text);
		sum += changed;
	} while (seen > 0);
	return sum;
}

/* The reply is, byte for byte, as if the search had found only these. */
static void expect_search(const char *id, const char *collection, const char *const users[MAX_CANDIDATES],
			  unsigned first_gone)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;
	struct task task;

	fill_search(&reply, collection, users);
	memcpy(reply.task_id, id, UUID_SIZE);
	struct reply_result *result = &reply.result;
	memmove(result->candidates + first_gone, result->candidates + first_gone + 1,
		(result->candidate_count - first_gone - 1) * sizeof(*result->candidates));
	result->candidate_count--;
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_true(find(id, &task));
	assert_int_equal(task.reply_size, body.size);
	assert_memory_equal(task.reply, body.data, body.size);
}

static void test_a_candidate_is_taken_out(void **state)
{
	const char *const first[MAX_CANDIDATES] = {user, "another"};
	const char *const middle[MAX_CANDIDATES] = {"another", user, "third"};
	const char *const only[MAX_CANDIDATES] = {user};
	char ids[3][UUID_SIZE];
	struct task before;
	struct task after;

	(void)state;
	record_search("a", first, ids[0]);
	record_search("a", middle, ids[1]);
	record_search("a", only, ids[2]);
	assert_true(find(ids[1], &before));
	assert_int_equal(erase_candidate(NULL, user), 3);
	expect_search(ids[0], "a", first, 0);
	expect_search(ids[1], "a", middle, 1);
	expect_search(ids[2], "a", only, 0);
	assert_true(find(ids[1], &after));
	memcpy(before.reply, after.reply, sizeof(before.reply));
	before.reply_size = after.reply_size;
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(history(ids[1]).count, 1);
	assert_int_equal(erase_candidate(NULL, user), 0);
	check_counts();
}

static void test_a_candidate_of_one_collection(void **state)
{
	const char *const users[MAX_CANDIDATES] = {user, "another"};
	char ids[3][UUID_SIZE];
	struct task before;
	struct task after;

	(void)state;
	record_search("a", users, ids[0]);
	record_search("b", users, ids[1]);
	record_search("", users, ids[2]);
	assert_true(find(ids[1], &before));
	assert_int_equal(erase_candidate("a", user), 2);
	expect_search(ids[0], "a", users, 0);
	expect_search(ids[2], "", users, 0);
	assert_true(find(ids[1], &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(erase_candidate(NULL, user), 1);
}

/* Ids are compared as they are, whatever they mean to JSON or to SQL. */
static void test_candidates_of_any_name(void **state)
{
	static const char *const names[] = {
	    "%",     "_",  "a%b", "a\\b", "\\", "\\%", "say \"hi\"", "tab\t\x01", "\xc3\xa4\xf0\x9f\x98\x80",
	    "'; --", "!%", "/"};
	char ids[array_size(names)][UUID_SIZE];
	char everybody[UUID_SIZE];
	struct task before;
	struct task after;

	(void)state;
	record_search("a", (const char *const[MAX_CANDIDATES]){"nobody", "axb", "A%B"}, everybody);
	assert_true(find(everybody, &before));
	for (unsigned i = 0; i < array_size(names); i++)
		record_search("a", (const char *const[MAX_CANDIDATES]){"nobody", names[i]}, ids[i]);
	for (unsigned i = 0; i < array_size(names); i++) {
		assert_int_equal(erase_candidate(NULL, names[i]), 1);
		expect_search(ids[i], "a", (const char *const[MAX_CANDIDATES]){"nobody", names[i]}, 1);
	}
	assert_int_equal(erase_candidate(NULL, ""), 0);
	assert_true(find(everybody, &after));
	assert_memory_equal(&before, &after, sizeof(before));
}

/* Whoever wrote it: spelled with escapes that ours do not use, or no reply at all. */
static void test_other_spellings(void **state)
{
	static const char spelled[] = "{ \"state\": \"succeeded\", \"collection\": \"a\", \"result\": { \"candidates\":"
				      " [ {\"similarity\": 0.5, \"user_id\": \"\\u006Fdd\\/\\u00e4\"} ] } }";
	static const char broken[] = "{\"candidates\":[{\"user_id\":\"odd/\xc3\xa4\"";
	char ids[2][UUID_SIZE];
	struct task task;

	(void)state;
	uuid_v7(ids[0]);
	record(ids[0], spelled, sizeof(spelled) - 1);
	uuid_v7(ids[1]);
	record(ids[1], broken, sizeof(broken) - 1);
	assert_int_equal(erase_candidate("a", "odd/\xc3\xa4"), 1);
	assert_true(find(ids[0], &task));
	task.reply[task.reply_size] = '\0';
	assert_non_null(strstr((const char *)task.reply, "\"candidates\":[]"));
	assert_true(find(ids[1], &task));
	assert_int_equal(task.reply_size, sizeof(broken) - 1);
}

/* More tasks than one step looks at, many of which finished in the same moment. */
static void test_candidates_in_many_tasks(void **state)
{
	const char *const users[MAX_CANDIDATES] = {user};
	struct tasks_step step = {0};
	char id[UUID_SIZE];
	unsigned changed;

	(void)state;
	for (unsigned i = 0; i < 600; i++)
		record_search("a", users, id);
	const struct database_value mine = database_text(owner);
	assert_int_equal(
	    database_execute(store->database, "UPDATE tasks SET finished = 7 WHERE owner = $1", &mine, 1, NULL), 0);
	/* After an error it goes on where it stopped. */
	int seen = tasks_erase_candidate(store, NULL, user, &step, &changed, NULL);
	assert_in_range(seen, 1, 599);
	assert_int_equal(changed, seen);
	assert_int_equal(database_execute(store->database, "ALTER TABLE task_counts RENAME TO hidden", NULL, 0, NULL),
			 0);
	const struct tasks_step before = step;
	unsigned none;
	assert_true(tasks_erase_candidate(store, NULL, user, &step, &none, NULL) < 0);
	assert_int_equal(none, 0);
	assert_memory_equal(&before, &step, sizeof(step));
	assert_int_equal(database_execute(store->database, "ALTER TABLE hidden RENAME TO task_counts", NULL, 0, NULL),
			 0);
	assert_int_equal(erase_candidate(NULL, user), 600 - changed);
	check_counts();
}

int tasks_removal_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    TASKS_CASE(test_purge),
	    TASKS_CASE(test_erase),
	    TASKS_CASE(test_a_candidate_is_taken_out),
	    TASKS_CASE(test_a_candidate_of_one_collection),
	    TASKS_CASE(test_candidates_of_any_name),
	    TASKS_CASE(test_other_spellings),
	    TASKS_CASE(test_candidates_in_many_tasks),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rig_migrate, NULL);
}
