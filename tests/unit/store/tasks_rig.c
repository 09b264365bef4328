#include "tasks_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"
#include "store/tasks_state.h"

char owner[32];
char user[32];

int tasks_rig_set_up(void **state)
{
	int r = rig_set_up(state);

	snprintf(owner, sizeof(owner), "owner-%u", rig_number);
	snprintf(user, sizeof(user), "user-%u", rig_number);
	return r;
}

unsigned apply(const struct task_change *changes, unsigned count)
{
	struct error err = {0};
	bool *accepted = calloc(count, sizeof(*accepted));
	unsigned sum = 0;

	assert_non_null(accepted);
	if (tasks_apply(store, changes, count, accepted, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < count; i++)
		sum += accepted[i];
	free(accepted);
	return sum;
}

bool say(const char *id, enum task_state state, int attempt)
{
	const struct task_change change = {
	    .task_id = id, .state = state, .attempt = attempt, .at_ms = 1000 + attempt, .owner = owner};

	return apply(&change, 1) == 1;
}

void say_user(const char *collection, const char *user_id, char id[UUID_SIZE])
{
	uuid_v7(id);
	const struct task_change change = {
	    .task_id = id, .state = TASK_SUCCEEDED, .attempt = 1, .user_id = user_id, .collection = collection};
	assert_int_equal(apply(&change, 1), 1);
}

/* --- reading it back --- */

static void copy(char *to, const char *from)
{
	snprintf(to, 64, "%.63s", from);
}

static int keep_task(void *arg, const struct task_row *row, struct error *err)
{
	struct task *task = arg;
	const struct task_change *now = &row->now;

	(void)err;
	memset(task, 0, sizeof(*task));
	task->state = now->state;
	task->attempt = now->attempt;
	task->at_ms = now->at_ms;
	task->next_attempt_ms = now->next_attempt_at_ms;
	task->accepted_ms = now->accepted_at_ms;
	task->deadline_ms = now->deadline_ms;
	task->updated_ms = row->updated_at_ms;
	task->finished_ms = row->finished_at_ms;
	copy(task->worker, now->worker);
	copy(task->error_code, now->error_code);
	copy(task->error_text, now->error_text);
	snprintf(task->op, sizeof(task->op), "%s", now->op);
	snprintf(task->scene, sizeof(task->scene), "%s", now->scene);
	copy(task->user_id, now->user_id);
	copy(task->collection, now->collection);
	copy(task->reference, now->reference);
	copy(task->owner, now->owner);
	assert_true(now->reply_size <= sizeof(task->reply));
	if (now->reply)
		memcpy(task->reply, now->reply, now->reply_size);
	task->reply_size = now->reply_size;
	return 0;
}

bool find(const char *id, struct task *task)
{
	struct error err = {0};
	bool found = false;

	if (tasks_find(store, id, keep_task, task, &found, &err) < 0)
		fail_msg("%s", err.text);
	return found;
}

static int keep_line(void *arg, const struct task_transition *line, struct error *err)
{
	struct log *log = arg;

	(void)err;
	assert_in_range(log->count, 0, 31);
	log->state[log->count] = line->state;
	log->attempt[log->count++] = line->attempt;
	return 0;
}

struct log history(const char *id)
{
	struct log log = {0};
	struct task task;

	assert_int_equal(tasks_history(store, id, keep_line, &log, NULL), 0);
	for (unsigned i = 1; i < log.count; i++)
		assert_true(
		    task_state_leads_forward(log.state[i - 1], log.attempt[i - 1], log.state[i], log.attempt[i]));
	if (find(id, &task)) {
		assert_int_equal(log.state[log.count - 1], task.state);
		assert_int_equal(log.attempt[log.count - 1], task.attempt);
	}
	return log;
}

struct tally {
	uint64_t counted[TASK_FINAL_FAILED + 1];
};

static int note_tally(void *arg, const struct database_row *row, struct error *err)
{
	struct tally *tally = arg;
	enum task_state state;

	(void)err;
	assert_int_equal(task_state_from_name(database_row_text(row, 0), &state), 0);
	tally->counted[state] = (uint64_t)database_row_integer(row, 1);
	return 0;
}

void check_counts(void)
{
	uint64_t counts[TASK_FINAL_FAILED + 1];
	struct tally tally = {0};
	struct tally lines = {0};

	assert_int_equal(tasks_count(store, counts, NULL), 0);
	assert_int_equal(
	    database_read(store->database,
			  &(struct database_statement){.sql = "SELECT state, COUNT(*) FROM tasks GROUP BY state",
						       .fn = note_tally,
						       .arg = &tally},
			  NULL),
	    0);
	assert_memory_equal(counts, tally.counted, sizeof(counts));
	assert_int_equal(
	    database_read(store->database,
			  &(struct database_statement){
			      .sql = "SELECT 'pending', (SELECT COUNT(*) FROM task_log)"
				     " - CAST((SELECT COALESCE(SUM(transitions), 0) FROM tasks) AS BIGINT)",
			      .fn = note_tally,
			      .arg = &lines},
			  NULL),
	    0);
	assert_int_equal(lines.counted[TASK_PENDING], 0);
}
