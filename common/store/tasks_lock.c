#include "store/tasks_private.h"

struct database_value tasks_text(const char *text)
{
	return database_text(text ? text : "");
}

int tasks_lock(struct store *store, struct error *err)
{
	int r = database_begin(store->database, true, err);

	return r < 0 ? r
		     : database_execute(store->database, "UPDATE task_counts SET changes = changes + 1", NULL, 0, err);
}

int tasks_end(struct store *store, int r, struct error *err)
{
	if (r == 0)
		r = database_commit(store->database, err);
	if (r < 0)
		database_rollback(store->database);
	return r;
}

int tasks_add_counts(struct store *store, const int64_t more[TASK_FINAL_FAILED + 1], struct error *err)
{
	struct database_value values[TASK_FINAL_FAILED + 1];

	for (unsigned i = 0; i <= TASK_FINAL_FAILED; i++)
		values[i] = database_integer(more[i]);
	return database_execute(store->database,
				"UPDATE task_counts SET pending = pending + $1, running = running + $2,"
				" succeeded = succeeded + $3, failed = failed + $4, retrying = retrying + $5,"
				" final_failed = final_failed + $6",
				values, array_size(values), err);
}
