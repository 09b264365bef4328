/* Recording what was said about tasks. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/tasks_private.h"
#include "store/tasks_state.h"

/* --- the columns, in the order of the statements --- */

static const char insert_task[] =
    "INSERT INTO tasks (task_id, transitions, state, attempt, said, worker, error_code, error_text, next_attempt, "
    "reply,"
    " updated, finished, op, scene, user_id, collection, reference, owner, accepted, deadline)";

/* The state goes with its line in the log; a fact stays as it was said first. */
#define STATE(column)                                                                                                  \
	column " = CASE WHEN excluded.transitions > tasks.transitions THEN excluded." column " ELSE tasks." column     \
	       " END, "
#define FACT(column) column " = CASE WHEN tasks." column " = '' THEN excluded." column " ELSE tasks." column " END, "
#define TIME(column) column " = CASE WHEN tasks." column " = 0 THEN excluded." column " ELSE tasks." column " END"

static const char update_task[] = "ON CONFLICT (task_id) DO UPDATE SET " STATE("state") STATE("attempt") STATE("said")
    STATE("worker") STATE("error_code") STATE("error_text") STATE("next_attempt") STATE("reply") STATE("updated")
	STATE("finished") FACT("op") FACT("scene") FACT("user_id") FACT("collection") FACT("reference") FACT("owner")
	    TIME("accepted") ", " TIME("deadline") ", transitions = excluded.transitions";

#define TASK_COLUMNS 20

static void fill_task(struct database_value row[TASK_COLUMNS], const struct task_progress *task, int64_t now_ms)
{
	const struct task_change *now = &task->now;
	const struct database_value values[TASK_COLUMNS] = {
	    database_text(now->task_id),
	    database_integer(task->transitions),
	    database_text(task_state_name(now->state)),
	    database_integer(now->attempt),
	    database_integer(now->at_ms),
	    tasks_text(now->worker),
	    tasks_text(now->error_code),
	    tasks_text(now->error_text),
	    database_integer(now->next_attempt_at_ms),
	    database_bytes(now->reply, now->reply_size),
	    database_integer(now_ms),
	    database_integer(task_state_is_terminal(now->state) ? now_ms : 0),
	    tasks_text(now->op),
	    tasks_text(now->scene),
	    tasks_text(now->user_id),
	    tasks_text(now->collection),
	    tasks_text(now->reference),
	    tasks_text(now->owner),
	    database_integer(now->accepted_at_ms),
	    database_integer(now->deadline_ms),
	};

	memcpy(row, values, sizeof(values));
}

static const char insert_line[] = "INSERT INTO task_log (task_id, number, state, attempt, said, worker, error_code,"
				  " error_text, next_attempt)";

#define LINE_COLUMNS 9

static void fill_line(struct database_value row[LINE_COLUMNS], const struct task_change *change, int64_t number)
{
	const struct database_value values[LINE_COLUMNS] = {
	    database_text(change->task_id),
	    database_integer(number),
	    database_text(task_state_name(change->state)),
	    database_integer(change->attempt),
	    database_integer(change->at_ms),
	    tasks_text(change->worker),
	    tasks_text(change->error_code),
	    tasks_text(change->error_text),
	    database_integer(change->next_attempt_at_ms),
	};

	memcpy(row, values, sizeof(values));
}

/* --- a batch: its changes gathered by task --- */

struct change_ref {
	const struct task_change *change;
	unsigned task; /* in the batch's tasks */
};

struct batch {
	const struct task_change *changes;
	unsigned count;
	bool *accepted;          /* of each change */
	struct change_ref *refs; /* by (task, order of arrival) */
	struct task_progress *tasks;
	unsigned task_count;
	struct database_value *values; /* of the rows of one table at a time */
	unsigned line_count;
};

static int compare_refs(const void *a, const void *b)
{
	const struct change_ref *left = a;
	const struct change_ref *right = b;
	int order = strcmp(left->change->task_id, right->change->task_id);

	return order != 0 ? order : (left->change > right->change) - (left->change < right->change);
}

static void gather(struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++)
		batch->refs[i].change = &batch->changes[i];
	qsort(batch->refs, batch->count, sizeof(*batch->refs), compare_refs);
	for (unsigned i = 0; i < batch->count; i++) {
		struct change_ref *ref = &batch->refs[i];

		if (i == 0 || strcmp(ref->change->task_id, ref[-1].change->task_id) != 0)
			batch->tasks[batch->task_count++].now.task_id = ref->change->task_id;
		ref->task = batch->task_count - 1;
	}
}

static int batch_init(struct batch *batch, const struct task_change *changes, unsigned count)
{
	*batch = (struct batch){
	    .changes = changes,
	    .count = count,
	    .accepted = calloc(count, sizeof(*batch->accepted)),
	    .refs = calloc(count, sizeof(*batch->refs)),
	    .tasks = calloc(count, sizeof(*batch->tasks)),
	    .values = calloc(count, TASK_COLUMNS * sizeof(*batch->values)),
	};
	if (!batch->accepted || !batch->refs || !batch->tasks || !batch->values)
		return -1;
	gather(batch);
	return 0;
}

static void batch_finish(struct batch *batch)
{
	free(batch->accepted);
	free(batch->refs);
	free(batch->tasks);
	free(batch->values);
}

/* --- what the store has of them --- */

static int compare_task(const void *id, const void *task)
{
	return strcmp(id, ((const struct task_progress *)task)->now.task_id);
}

static int note_task(void *arg, const struct database_row *row, struct error *err)
{
	struct batch *batch = arg;
	const char *id = database_row_text(row, 0);
	struct task_progress *task = bsearch(id, batch->tasks, batch->task_count, sizeof(*batch->tasks), compare_task);

	if (!task || task_state_from_name(database_row_text(row, 1), &task->now.state) < 0)
		return error_set(err, ERROR_INTERNAL, "store: the state of task %.40s is none", id);
	task->exists = true;
	task->was_state = task->now.state;
	task->now.attempt = (int)database_row_integer(row, 2);
	task->transitions = task->was_transitions = database_row_integer(row, 3);
	return 0;
}

static int look_up_some(struct store *store, struct batch *batch, unsigned from, unsigned count, struct error *err)
{
	struct database_value ids[DATABASE_MAX_VALUES];
	struct buffer sql = {0};
	int r = buffer_printf(&sql, "SELECT task_id, state, attempt, transitions FROM tasks WHERE task_id IN");

	for (unsigned i = 0; i < count; i++) {
		ids[i] = database_text(batch->tasks[from + i].now.task_id);
		r = r == 0 ? buffer_printf(&sql, "%c$%u", i == 0 ? '(' : ',', i + 1) : r;
	}
	r = r == 0 ? buffer_printf(&sql, ")") : r;
	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = (const char *)sql.data,
							      .values = ids,
							      .value_count = count,
							      .fn = note_task,
							      .arg = batch},
				 err);
	else
		r = error_set(err, ERROR_INTERNAL, "no memory for a statement");
	buffer_finish(&sql);
	return r;
}

static int look_up(struct store *store, struct batch *batch, struct error *err)
{
	int r = 0;

	for (unsigned from = 0; r == 0 && from < batch->task_count; from += DATABASE_MAX_VALUES) {
		unsigned left = batch->task_count - from;

		r = look_up_some(store, batch, from, left < DATABASE_MAX_VALUES ? left : DATABASE_MAX_VALUES, err);
	}
	return r;
}

/* --- recording --- */

/* Lets the tasks go through their changes, and makes the lines of the log. */
static void advance(struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		const struct change_ref *ref = &batch->refs[i];
		struct task_progress *task = &batch->tasks[ref->task];

		if (!task_progress_apply(task, ref->change))
			continue;
		batch->accepted[ref->change - batch->changes] = true;
		fill_line(batch->values + (size_t)LINE_COLUMNS * batch->line_count++, ref->change, task->transitions);
	}
}

static int put_lines(struct store *store, const struct batch *batch, struct error *err)
{
	return database_insert(store->database,
			       &(struct database_rows){.into = insert_line,
						       .tail = "",
						       .columns = LINE_COLUMNS,
						       .count = batch->line_count,
						       .values = batch->values},
			       err);
}

static int put_tasks(struct store *store, const struct batch *batch, struct error *err)
{
	int64_t now_ms = clock_unix_ms();

	for (unsigned i = 0; i < batch->task_count; i++)
		fill_task(batch->values + (size_t)TASK_COLUMNS * i, &batch->tasks[i], now_ms);
	return database_insert(store->database,
			       &(struct database_rows){.into = insert_task,
						       .tail = update_task,
						       .columns = TASK_COLUMNS,
						       .count = batch->task_count,
						       .values = batch->values},
			       err);
}

static int put_counts(struct store *store, const struct batch *batch, struct error *err)
{
	int64_t more[TASK_FINAL_FAILED + 1] = {0};

	for (unsigned i = 0; i < batch->task_count; i++) {
		const struct task_progress *task = &batch->tasks[i];

		more[task->now.state]++;
		if (task->exists)
			more[task->was_state]--;
	}
	return tasks_add_counts(store, more, err);
}

static int record_changes(struct store *store, struct batch *batch, struct error *err)
{
	int r = look_up(store, batch, err);

	if (r == 0)
		advance(batch);
	if (r == 0)
		r = put_lines(store, batch, err);
	if (r == 0)
		r = put_tasks(store, batch, err);
	return r == 0 ? put_counts(store, batch, err) : r;
}

static int record(struct store *store, struct batch *batch, const struct tasks_news *news, struct error *err)
{
	int r = tasks_lock(store, err);

	if (r == 0 && batch->count > 0)
		r = record_changes(store, batch, err);
	if (r == 0)
		r = tasks_put_deliveries(store, news, err);
	return tasks_end(store, r, err);
}

int tasks_record(struct store *store, const struct tasks_news *news, bool *accepted, struct error *err)
{
	unsigned count = news->change_count;
	struct batch batch = {0};
	int r;

	if (count == 0 && news->delivery_count == 0)
		return 0;
	r = count == 0 || batch_init(&batch, news->changes, count) == 0
		? record(store, &batch, news, err)
		: error_set(err, ERROR_INTERNAL, "no memory for %u changes", count);
	if (r == 0 && accepted && count > 0)
		memcpy(accepted, batch.accepted, count * sizeof(*accepted));
	batch_finish(&batch);
	return r;
}

int tasks_apply(struct store *store, const struct task_change *changes, unsigned count, bool *accepted,
		struct error *err)
{
	return tasks_record(store, &(struct tasks_news){.changes = changes, .change_count = count}, accepted, err);
}
