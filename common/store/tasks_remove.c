/* Tasks that go: old ones, and those of somebody who is to be forgotten. */
#include "store/tasks_private.h"

#define ERASE_STEP 500

struct removal {
	int64_t less[TASK_FINAL_FAILED + 1];
	unsigned count;
};

static int note_removed(void *arg, const struct database_row *row, struct error *err)
{
	struct removal *removal = arg;
	enum task_state state;

	if (task_state_from_name(database_row_text(row, 0), &state) < 0)
		return error_set(err, ERROR_INTERNAL, "store: the state of a task is none");
	removal->less[state]--;
	removal->count++;
	return 0;
}

/* The log first: afterwards nobody knows whose it was. Under the lock both statements choose the same tasks. */
#define REMOVE(chosen)                                                                                                 \
	{                                                                                                              \
		"DELETE FROM task_log WHERE task_id IN (SELECT task_id FROM tasks WHERE " chosen ")",                  \
		    "DELETE FROM tasks WHERE task_id IN (SELECT task_id FROM tasks WHERE " chosen ") RETURNING state"  \
	}

static int remove_some(struct store *store, const char *const sql[2], const struct database_value *values,
		       unsigned value_count, unsigned *removed, struct error *err)
{
	struct removal removal = {0};
	int r = tasks_lock(store, err);

	if (r == 0)
		r = database_execute(store->database, sql[0], values, value_count, err);
	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = sql[1],
							      .values = values,
							      .value_count = value_count,
							      .fn = note_removed,
							      .arg = &removal},
				 err);
	if (r == 0)
		r = tasks_add_counts(store, removal.less, err);
	r = tasks_end(store, r, err);
	if (r == 0)
		*removed = removal.count;
	return r;
}

int tasks_purge(struct store *store, int64_t before_ms, unsigned limit, unsigned *removed, struct error *err)
{
	static const char *const sql[] = REMOVE("finished > 0 AND finished < $1 ORDER BY finished, task_id LIMIT $2");
	const struct database_value values[] = {database_integer(before_ms), database_integer(limit)};

	return remove_some(store, sql, values, array_size(values), removed, err);
}

/* Events do not name the collection: a task that is not finished may be about the user in any. */
int tasks_erase_user(struct store *store, const char *collection, const char *user_id, uint64_t *removed,
		     struct error *err)
{
	static const char *const sql[] =
	    REMOVE("user_id = $1 AND user_id <> '' AND (CAST($2 AS TEXT) IS NULL OR collection = $2"
		   " OR collection = '') ORDER BY accepted, task_id LIMIT $3");
	const struct database_value values[] = {database_text(user_id), database_text(collection),
						database_integer(ERASE_STEP)};
	unsigned step = ERASE_STEP;
	int r = 0;

	*removed = 0;
	while (r == 0 && step == ERASE_STEP) {
		r = remove_some(store, sql, values, array_size(values), &step, err);
		*removed += r == 0 ? step : 0;
	}
	return r;
}
