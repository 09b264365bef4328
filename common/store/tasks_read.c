/* Tasks as they are asked for. */
#include <string.h>

#include "obs/log.h"
#include "store/tasks_private.h"

#define STATE_COLUMNS "state, attempt, said, worker, error_code, error_text, next_attempt"
#define TASK_COLUMNS                                                                                                   \
	"task_id, " STATE_COLUMNS ", updated, finished, op, scene, user_id, collection, reference, owner, accepted,"   \
	" deadline"

enum column {
	TASK_ID,
	STATE,
	ATTEMPT,
	SAID,
	WORKER,
	ERROR_CODE,
	ERROR_TEXT,
	NEXT_ATTEMPT,
	UPDATED,
	FINISHED,
	OP,
	SCENE,
	USER_ID,
	COLLECTION,
	REFERENCE,
	OWNER,
	ACCEPTED,
	DEADLINE,
	REPLY /* of one task only */
};

struct reader {
	task_row_fn *fn;
	void *arg;
	bool has_reply;
	int count;
	struct tasks_cursor *cursor; /* NULL: nobody goes on after it */
};

static int read_state(const struct database_row *row, unsigned column, enum task_state *state)
{
	const char *name = database_row_text(row, column);

	if (task_state_from_name(name, state) == 0)
		return 0;
	log_error(NULL, "a stored task has a state that is none and is left out", log_string("state", name));
	return -1;
}

static void read_row(const struct database_row *row, bool has_reply, struct task_row *out)
{
	struct task_change *now = &out->now;

	now->task_id = database_row_text(row, TASK_ID);
	now->attempt = (int)database_row_integer(row, ATTEMPT);
	now->at_ms = database_row_integer(row, SAID);
	now->worker = database_row_text(row, WORKER);
	now->error_code = database_row_text(row, ERROR_CODE);
	now->error_text = database_row_text(row, ERROR_TEXT);
	now->next_attempt_at_ms = database_row_integer(row, NEXT_ATTEMPT);
	now->op = database_row_text(row, OP);
	now->scene = database_row_text(row, SCENE);
	now->user_id = database_row_text(row, USER_ID);
	now->collection = database_row_text(row, COLLECTION);
	now->reference = database_row_text(row, REFERENCE);
	now->owner = database_row_text(row, OWNER);
	now->accepted_at_ms = database_row_integer(row, ACCEPTED);
	now->deadline_ms = database_row_integer(row, DEADLINE);
	if (has_reply && !database_row_is_null(row, REPLY))
		now->reply = database_row_bytes(row, REPLY, &now->reply_size);
	out->updated_at_ms = database_row_integer(row, UPDATED);
	out->finished_at_ms = database_row_integer(row, FINISHED);
}

static int pass_task(void *arg, const struct database_row *row, struct error *err)
{
	struct reader *reader = arg;
	struct task_row out = {0};
	int r = 0;

	reader->count++;
	if (read_state(row, STATE, &out.now.state) == 0) {
		read_row(row, reader->has_reply, &out);
		r = reader->fn(reader->arg, &out, err);
	}
	if (r == 0 && reader->cursor) {
		reader->cursor->accepted_at_ms = database_row_integer(row, ACCEPTED);
		snprintf(reader->cursor->task_id, sizeof(reader->cursor->task_id), "%s",
			 database_row_text(row, TASK_ID));
	}
	return r;
}

static int read_tasks(struct store *store, const char *sql, const struct database_value *values, unsigned value_count,
		      struct reader *reader, struct error *err)
{
	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = sql, .values = values, .value_count = value_count, .fn = pass_task, .arg = reader},
	    err);
}

/* --- one --- */

int tasks_find(struct store *store, const char *task_id, task_row_fn *fn, void *arg, bool *found, struct error *err)
{
	const struct database_value value = database_text(task_id);
	struct reader reader = {.fn = fn, .arg = arg, .has_reply = true};
	int r =
	    read_tasks(store, "SELECT " TASK_COLUMNS ", reply FROM tasks WHERE task_id = $1", &value, 1, &reader, err);

	if (r == 0)
		*found = reader.count > 0;
	return r;
}

struct history {
	task_transition_fn *fn;
	void *arg;
};

static int pass_transition(void *arg, const struct database_row *row, struct error *err)
{
	const struct history *history = arg;
	struct task_transition transition = {
	    .attempt = (int)database_row_integer(row, 1),
	    .at_ms = database_row_integer(row, 2),
	    .worker = database_row_text(row, 3),
	    .error_code = database_row_text(row, 4),
	    .error_text = database_row_text(row, 5),
	    .next_attempt_at_ms = database_row_integer(row, 6),
	};

	return read_state(row, 0, &transition.state) == 0 ? history->fn(history->arg, &transition, err) : 0;
}

int tasks_history(struct store *store, const char *task_id, task_transition_fn *fn, void *arg, struct error *err)
{
	const struct database_value value = database_text(task_id);
	struct history history = {fn, arg};

	return database_read(store->database,
			     &(struct database_statement){.sql = "SELECT " STATE_COLUMNS
								 " FROM task_log WHERE task_id = $1 ORDER BY number",
							  .values = &value,
							  .value_count = 1,
							  .fn = pass_transition,
							  .arg = &history},
			     err);
}

/* --- many --- */

#define MAX_CONDITIONS 9

struct query {
	struct buffer sql;
	struct database_value values[MAX_CONDITIONS];
	unsigned count;
	int result;
};

/* Adds a condition, which ends in the parameter, and `more` behind it. */
static void add(struct query *q, const char *condition, struct database_value value, const char *more)
{
	q->values[q->count++] = value;
	if (q->result == 0)
		q->result = buffer_printf(&q->sql, "%s$%u%s", condition, q->count, more);
}

static bool is_given(const char *text)
{
	return text && text[0] != '\0';
}

/* A condition that repeats an index's own makes it usable. */
static void add_filter(struct query *q, const struct tasks_filter *filter)
{
	if (filter->has_state)
		add(q, " AND state = ", database_text(task_state_name(filter->state)), "");
	if (is_given(filter->scene))
		add(q, " AND scene = ", database_text(filter->scene), "");
	if (is_given(filter->owner))
		add(q, " AND owner = ", database_text(filter->owner), " AND owner <> ''");
	if (is_given(filter->user_id))
		add(q, " AND user_id = ", database_text(filter->user_id), " AND user_id <> ''");
	if (filter->since_ms != 0)
		add(q, " AND accepted >= ", database_integer(filter->since_ms), "");
	if (filter->until_ms != 0)
		add(q, " AND accepted < ", database_integer(filter->until_ms), "");
}

int tasks_list(struct store *store, const struct tasks_filter *filter, struct tasks_cursor *cursor, unsigned limit,
	       task_row_fn *fn, void *arg, struct error *err)
{
	struct reader reader = {.fn = fn, .arg = arg, .cursor = cursor};
	struct query q = {0};

	q.result = buffer_printf(&q.sql, "SELECT " TASK_COLUMNS " FROM tasks WHERE 1 = 1");
	add_filter(&q, filter);
	if (cursor->task_id[0] != '\0') {
		add(&q, " AND (accepted, task_id) < (", database_integer(cursor->accepted_at_ms), "");
		add(&q, ", ", database_text(cursor->task_id), ")");
	}
	add(&q, " ORDER BY accepted DESC, task_id DESC LIMIT ", database_integer(limit), "");
	int r = q.result == 0 ? read_tasks(store, (const char *)q.sql.data, q.values, q.count, &reader, err)
			      : error_set(err, ERROR_INTERNAL, "no memory for a statement");
	buffer_finish(&q.sql);
	return r < 0 ? r : reader.count;
}

int tasks_overdue(struct store *store, int64_t now_ms, unsigned limit, task_row_fn *fn, void *arg, struct error *err)
{
	const struct database_value values[] = {database_integer(now_ms), database_integer(limit)};

	return read_tasks(store,
			  "SELECT " TASK_COLUMNS " FROM tasks WHERE finished = 0 AND deadline > 0 AND deadline < $1"
			  " ORDER BY deadline, task_id LIMIT $2",
			  values, array_size(values), &(struct reader){.fn = fn, .arg = arg}, err);
}

int tasks_stuck(struct store *store, int64_t before_ms, unsigned limit, task_row_fn *fn, void *arg, struct error *err)
{
	const struct database_value values[] = {database_integer(before_ms), database_integer(limit)};

	return read_tasks(store,
			  "SELECT " TASK_COLUMNS " FROM tasks WHERE state = 'running' AND updated < $1"
			  " ORDER BY updated, task_id LIMIT $2",
			  values, array_size(values), &(struct reader){.fn = fn, .arg = arg}, err);
}

/* --- how many --- */

static int note_counts(void *arg, const struct database_row *row, struct error *err)
{
	uint64_t *counts = arg;

	(void)err;
	for (unsigned i = 0; i <= TASK_FINAL_FAILED; i++)
		counts[i] = (uint64_t)database_row_integer(row, i);
	return 0;
}

int tasks_count(struct store *store, uint64_t counts[TASK_FINAL_FAILED + 1], struct error *err)
{
	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT pending, running, succeeded, failed, retrying, final_failed FROM task_counts",
		.fn = note_counts,
		.arg = counts},
	    err);
}
