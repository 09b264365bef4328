/* Runs of schedules, from the claim to the next one. */
#include <string.h>

#include "store/schedules_private.h"

/* Writing the lock's row keeps others from taking it until the transaction ends. */
static int begin(struct store *store, uint64_t token, bool *held, struct error *err)
{
	const struct database_value value = database_integer((int64_t)token);
	int r = database_begin(store->database, true, err);

	*held = false;
	return r < 0 ? r
		     : database_run(store->database,
				    &(struct database_statement){.sql = "UPDATE schedules_lock SET token = token"
									" WHERE token = $1 RETURNING token",
								 .values = &value,
								 .value_count = 1,
								 .fn = database_note_row,
								 .arg = held},
				    err);
}

typedef int run_fn(struct store *store, struct schedule_run *run, struct error *err);

static int for_all(struct store *store, uint64_t token, struct schedule_run *runs, unsigned count, run_fn *fn,
		   bool *held, struct error *err)
{
	bool ours;
	int r = begin(store, token, &ours, err);

	for (unsigned i = 0; r == 0 && ours && i < count; i++) {
		runs[i].stands = false;
		r = fn(store, &runs[i], err);
	}
	r = schedules_end(store, ours, r, err);
	if (r == 0)
		*held = ours;
	return r;
}

static int note_claim(void *arg, const struct database_row *row, struct error *err)
{
	struct schedule_run *run = arg;

	(void)err;
	run->stands = true;
	strncpy(run->task_id, database_row_text(row, 0), UUID_SIZE - 1);
	run->task_id[UUID_SIZE - 1] = '\0';
	return 0;
}

static int claim(struct store *store, struct schedule_run *run, struct error *err)
{
	const struct database_value values[] = {database_text(run->schedule_id), database_integer(run->due_ms),
						database_text(run->task_id)};

	return database_run(store->database,
			    &(struct database_statement){
				.sql = "UPDATE schedules SET task_id = CASE WHEN task_id = '' THEN $3 ELSE task_id END"
				       " WHERE schedule_id = $1 AND due_ms = $2 RETURNING task_id",
				.values = values,
				.value_count = array_size(values),
				.fn = note_claim,
				.arg = run},
			    err);
}

int schedules_claim(struct store *store, uint64_t token, struct schedule_run *runs, unsigned count, bool *held,
		    struct error *err)
{
	return for_all(store, token, runs, count, claim, held, err);
}

/* A schedule that was made due meanwhile stays as it is, with its task id: it runs again under the same one. */
static int move_on(struct store *store, struct schedule_run *run, struct error *err)
{
	const struct database_value values[] = {database_text(run->schedule_id), database_integer(run->due_ms),
						database_integer(run->next_due_ms), database_integer(run->ran_at_ms)};

	return database_run(
	    store->database,
	    &(struct database_statement){.sql = run->next_due_ms > 0
						    ? "UPDATE schedules SET due_ms = $3, task_id = '',"
						      " last_run_ms = CASE WHEN $4 > 0 THEN $4 ELSE last_run_ms END"
						      " WHERE schedule_id = $1 AND due_ms = $2 RETURNING schedule_id"
						    : "DELETE FROM schedules WHERE schedule_id = $1 AND due_ms = $2"
						      " RETURNING schedule_id",
					 .values = values,
					 .value_count = run->next_due_ms > 0 ? 4 : 2,
					 .fn = database_note_row,
					 .arg = &run->stands},
	    err);
}

int schedules_ran(struct store *store, uint64_t token, struct schedule_run *runs, unsigned count, bool *held,
		  struct error *err)
{
	return for_all(store, token, runs, count, move_on, held, err);
}
