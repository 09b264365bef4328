/* Adding and removing schedules. */
#include <string.h>

#include "job/job.h"
#include "store/schedules_private.h"

int schedules_begin_change(struct store *store, struct error *err)
{
	int r = database_begin(store->database, true, err);

	return r < 0 ? r
		     : database_execute(store->database, "UPDATE schedules_version SET version = version + 1", NULL, 0,
					err);
}

int schedules_end(struct store *store, bool keep, int r, struct error *err)
{
	if (r == 0 && keep)
		r = database_commit(store->database, err);
	if (r < 0 || !keep)
		database_rollback(store->database);
	return r;
}

static int count_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(uint64_t *)arg;
	return 0;
}

/* Runs a statement that returns a row for each schedule it changed, in a transaction of its own. */
static int change(struct store *store, struct database_statement *statement, uint64_t *changed, struct error *err)
{
	int r = schedules_begin_change(store, err);

	*changed = 0;
	statement->fn = count_row;
	statement->arg = changed;
	if (r == 0)
		r = database_run(store->database, statement, err);
	return schedules_end(store, *changed > 0, r, err);
}

int schedules_add(struct store *store, const struct schedule *s, bool *inserted, struct error *err)
{
	const struct database_value values[] = {
	    database_text(s->schedule_id),    database_text(s->name),
	    database_text(s->owner),          database_text(s->op),
	    database_text(s->scene),          database_text(s->user_id),
	    database_text(s->collection),     database_text(s->cron),
	    database_text(s->time_zone),      database_integer(s->every_ms),
	    database_integer(s->misfire),     database_integer(s->due_ms),
	    database_text(s->task_id),        database_integer(s->created_at_ms),
	    database_integer(s->last_run_ms), database_bytes(s->job, s->job_size),
	};
	struct database_statement statement = {
	    .sql =
		"INSERT INTO schedules VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
		" ON CONFLICT (schedule_id) DO NOTHING RETURNING schedule_id",
	    .values = values,
	    .value_count = array_size(values),
	};
	uint64_t changed;

	if (!s->job || s->job_size > JOB_MAX_ENCODED_BYTES)
		return error_set(err, ERROR_INTERNAL, "a schedule with a job of %zu bytes", s->job_size);
	int r = change(store, &statement, &changed, err);
	if (r == 0)
		*inserted = changed > 0;
	return r;
}

int schedules_remove(struct store *store, const char *schedule_id, bool *found, struct error *err)
{
	const struct database_value id = database_text(schedule_id);
	struct database_statement statement = {
	    .sql = "DELETE FROM schedules WHERE schedule_id = $1 RETURNING schedule_id",
	    .values = &id,
	    .value_count = 1,
	};
	uint64_t changed;
	int r = change(store, &statement, &changed, err);

	if (r == 0)
		*found = changed > 0;
	return r;
}

int schedules_erase_user(struct store *store, const char *collection, const char *user_id, uint64_t *removed,
			 struct error *err)
{
	const struct database_value values[] = {database_text(user_id), database_text(collection)};
	struct database_statement statement = {
	    .sql = "DELETE FROM schedules WHERE user_id = $1 AND (CAST($2 AS TEXT) IS NULL OR collection = $2)"
		   " RETURNING schedule_id",
	    .values = values,
	    .value_count = array_size(values),
	};
	uint64_t changed;
	int r = change(store, &statement, &changed, err);

	if (r == 0)
		*removed = changed;
	return r;
}

static int note_task(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	strncpy(arg, database_row_text(row, 0), UUID_SIZE - 1);
	return 0;
}

int schedules_run_now(struct store *store, const char *schedule_id, int64_t now_ms, char task_id[UUID_SIZE],
		      bool *found, struct error *err)
{
	const struct database_value values[] = {database_text(schedule_id), database_integer(now_ms),
						database_text(task_id)};
	char stands[UUID_SIZE] = "";
	int r = schedules_begin_change(store, err);

	if (r == 0)
		r = database_run(
		    store->database,
		    &(struct database_statement){.sql = "UPDATE schedules SET due_ms = $2,"
							" task_id = CASE WHEN task_id = '' THEN $3 ELSE task_id END"
							" WHERE schedule_id = $1 RETURNING task_id",
						 .values = values,
						 .value_count = array_size(values),
						 .fn = note_task,
						 .arg = stands},
		    err);
	r = schedules_end(store, stands[0] != '\0', r, err);
	if (r == 0) {
		*found = stands[0] != '\0';
		if (*found)
			memcpy(task_id, stands, UUID_SIZE);
	}
	return r;
}
