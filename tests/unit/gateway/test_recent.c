#include "gateway/recent.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

static struct recent_task make(const char *task_id)
{
	struct recent_task task = {.state = TASK_PENDING, .attempt = 1, .accepted_at_ms = 5};

	snprintf(task.task_id, sizeof(task.task_id), "%s", task_id);
	return task;
}

static enum task_state state_of(struct recent *recent, const char *task_id)
{
	struct buffer reply = {0};
	struct recent_task task;

	assert_true(recent_find(recent, task_id, &task, &reply));
	buffer_finish(&reply);
	return task.state;
}

static void update(struct recent *recent, const char *task_id, enum task_state state, int attempt, size_t reply_size)
{
	struct buffer reply = {0};

	for (size_t i = 0; i < reply_size; i++)
		assert_int_equal(buffer_append(&reply, "x", 1), 0);
	recent_update(recent, task_id, state, attempt, 9, &reply);
	buffer_finish(&reply);
}

static void test_states_lead_forward(void **state)
{
	struct recent *recent = recent_new(10);
	struct recent_task task = make("a");

	(void)state;
	recent_add(recent, &task);
	update(recent, "a", TASK_RUNNING, 1, 0);
	update(recent, "a", TASK_PENDING, 1, 0);
	assert_int_equal(state_of(recent, "a"), TASK_RUNNING);
	update(recent, "a", TASK_RETRYING, 1, 0);
	update(recent, "a", TASK_FAILED, 1, 0);
	assert_int_equal(state_of(recent, "a"), TASK_RETRYING);
	update(recent, "a", TASK_RUNNING, 2, 0);
	assert_int_equal(state_of(recent, "a"), TASK_RUNNING);
	update(recent, "a", TASK_SUCCEEDED, 2, RECENT_MAX_REPLY_BYTES + 1);
	assert_int_equal(state_of(recent, "a"), TASK_RUNNING);
	update(recent, "a", TASK_SUCCEEDED, 2, 3);
	update(recent, "a", TASK_FINAL_FAILED, 3, 4);
	assert_int_equal(state_of(recent, "a"), TASK_SUCCEEDED);

	struct buffer reply = {0};
	assert_true(recent_find(recent, "a", &task, &reply));
	assert_string_equal((char *)reply.data, "xxx");
	buffer_finish(&reply);
	recent_free(recent);
}

static void test_the_oldest_give_way(void **state)
{
	struct recent *recent = recent_new(3);
	struct buffer reply = {0};
	struct recent_task found;

	(void)state;
	for (int i = 0; i < 5; i++) {
		char id[8];
		snprintf(id, sizeof(id), "%d", i);
		struct recent_task task = make(id);
		recent_add(recent, &task);
	}
	assert_false(recent_find(recent, "1", &found, &reply));
	assert_true(recent_find(recent, "2", &found, &reply));
	recent_remove(recent, "3");
	recent_remove(recent, "3");
	assert_false(recent_find(recent, "3", &found, &reply));
	assert_true(recent_find(recent, "4", &found, &reply));
	update(recent, "3", TASK_RUNNING, 1, 0);
	buffer_finish(&reply);
	recent_free(recent);
}

static void add_ended(struct recent *recent, const char *task_id, enum job_op op, const char *user_id,
		      const char *collection, const char *candidate)
{
	struct recent_task task = make(task_id);
	struct buffer reply = {0};

	task.op = op;
	snprintf(task.user_id, sizeof(task.user_id), "%s", user_id);
	snprintf(task.collection, sizeof(task.collection), "%s", collection);
	recent_add(recent, &task);
	assert_int_equal(
	    buffer_printf(
		&reply,
		"{\"task_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"op\":\"search\",\"state\":\"succeeded\","
		"\"attempt\":1,\"result\":{\"candidates\":[{\"user_id\":\"bob\",\"image_id\":"
		"\"01890a5d-ac96-774b-bcce-b302099a8058\",\"similarity\":0.5},{\"user_id\":\"%s\",\"image_id\":"
		"\"01890a5d-ac96-774b-bcce-b302099a8059\",\"similarity\":0.4}]}}",
		candidate),
	    0);
	recent_update(recent, task_id, TASK_SUCCEEDED, 1, 9, &reply);
	buffer_finish(&reply);
}

static void expect(struct recent *recent, const char *known)
{
	for (const char *id = "abcdef"; *id; id++) {
		const char name[] = {*id, '\0'};
		struct buffer reply = {0};
		struct recent_task task;

		assert_int_equal(recent_find(recent, name, &task, &reply), strchr(known, *id) != NULL);
		buffer_finish(&reply);
	}
}

static void test_a_person_is_forgotten(void **state)
{
	struct recent *recent = recent_new(10);
	struct recent_task waiting = make("f");

	(void)state;
	add_ended(recent, "a", JOB_VERIFY, "ann", "staff", "");
	add_ended(recent, "b", JOB_VERIFY, "ann", "guests", "");
	add_ended(recent, "c", JOB_VERIFY, "anna", "staff", "");
	add_ended(recent, "d", JOB_SEARCH, "", "staff", "ann");
	add_ended(recent, "e", JOB_SEARCH, "", "staff", "anna");
	waiting.op = JOB_SEARCH;
	recent_add(recent, &waiting);
	recent_forget_person(recent, "ann", "others");
	expect(recent, "abcdef");
	recent_forget_person(recent, "ann", "staff");
	expect(recent, "bcef");
	recent_forget_person(recent, "ann", "");
	expect(recent, "cef");
	recent_free(recent);
}

static void test_how_long_it_counts(void **state)
{
	struct recent_task task = make("a");

	(void)state;
	task.updated_at_ms = 1000;
	task.deadline_ms = 9000;
	assert_false(recent_is_stale(&task, 9000 + RECENT_STALE_MS));
	assert_true(recent_is_stale(&task, 9001 + RECENT_STALE_MS));
	task.state = TASK_SUCCEEDED;
	assert_false(recent_is_stale(&task, 1000 + RECENT_STALE_MS));
	assert_true(recent_is_stale(&task, 1001 + RECENT_STALE_MS));
	/* Late, and still heard of. */
	task.state = TASK_RETRYING;
	task.updated_at_ms = 20000;
	assert_false(recent_is_stale(&task, 20000 + RECENT_STALE_MS));
	assert_true(recent_is_stale(&task, 20001 + RECENT_STALE_MS));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_states_lead_forward),
    cmocka_unit_test(test_the_oldest_give_way),
    cmocka_unit_test(test_a_person_is_forgotten),
    cmocka_unit_test(test_how_long_it_counts),
};

RUN_TESTS(tests)
