/* Tasks that go: old ones, and those of somebody who is to be forgotten. */
#include <stdio.h>

#include "store/tasks_private.h"

/*
 * The tasks are chosen first and removed by their ids: nothing is locked while there is nothing to remove, and no
 * planner can take it into its head to read the whole log for them. What makes a task go is final, so nothing changes
 * about it in between.
 */
#define STEP DATABASE_MAX_VALUES

struct removal {
	char ids[STEP][UUID_SIZE];
	struct database_value values[STEP];
	unsigned chosen;
	unsigned removed;
	int64_t less[TASK_FINAL_FAILED + 1];
};

static int note_chosen(void *arg, const struct database_row *row, struct error *err)
{
	struct removal *removal = arg;
	char *id = removal->ids[removal->chosen];

	(void)err;
	snprintf(id, UUID_SIZE, "%s", database_row_text(row, 0));
	removal->values[removal->chosen++] = database_text(id);
	return 0;
}

static int note_removed(void *arg, const struct database_row *row, struct error *err)
{
	struct removal *removal = arg;
	enum task_state state;

	if (task_state_from_name(database_row_text(row, 0), &state) < 0)
		return error_set(err, ERROR_INTERNAL, "store: the state of a task is none");
	removal->less[state]--;
	removal->removed++;
	return 0;
}

static int choose(struct store *store, const char *sql, const struct database_value *values, unsigned value_count,
		  struct removal *removal, struct error *err)
{
	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = sql, .values = values, .value_count = value_count, .fn = note_chosen, .arg = removal},
	    err);
}

static int run_on_chosen(struct store *store, const char *sql, const char *tail, struct removal *removal,
			 struct error *err)
{
	struct buffer text = {0};
	int r = buffer_printf(&text, "%s", sql);

	for (unsigned i = 0; r == 0 && i < removal->chosen; i++)
		r = buffer_printf(&text, "%c$%u", i == 0 ? '(' : ',', i + 1);
	r = r == 0 ? buffer_printf(&text, ")%s", tail) : r;
	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = (const char *)text.data,
							      .values = removal->values,
							      .value_count = removal->chosen,
							      .fn = note_removed,
							      .arg = removal},
				 err);
	else
		r = error_set(err, ERROR_INTERNAL, "no memory for a statement");
	buffer_finish(&text);
	return r;
}

#define DELETE_DELIVERIES "DELETE FROM task_deliveries WHERE task_id IN"

static int remove_chosen(struct store *store, struct removal *removal, struct error *err)
{
	int r = tasks_lock(store, err);

	if (r == 0)
		r = run_on_chosen(store, "DELETE FROM task_log WHERE task_id IN", "", removal, err);
	if (r == 0)
		r = run_on_chosen(store, DELETE_DELIVERIES, "", removal, err);
	if (r == 0)
		r = run_on_chosen(store, "DELETE FROM tasks WHERE task_id IN", " RETURNING state", removal, err);
	if (r == 0)
		r = tasks_add_counts(store, removal->less, err);
	return tasks_end(store, r, err);
}

int tasks_purge(struct store *store, int64_t before_ms, unsigned limit, unsigned *removed, struct error *err)
{
	const struct database_value values[] = {database_integer(before_ms),
						database_integer(limit < STEP ? limit : STEP)};
	struct removal removal = {0};
	int r = choose(store,
		       "SELECT task_id FROM tasks WHERE finished > 0 AND finished < $1"
		       " ORDER BY finished, task_id LIMIT $2",
		       values, array_size(values), &removal, err);

	if (r == 0 && removal.chosen > 0)
		r = remove_chosen(store, &removal, err);
	if (r == 0)
		*removed = removal.removed;
	return r;
}

/* A task ends before its callback goes out: one that still has deliveries as old as these is about to go itself. */
int tasks_purge_deliveries(struct store *store, int64_t before_ms, unsigned limit, struct error *err)
{
	const struct database_value values[] = {database_integer(before_ms),
						database_integer(limit < STEP ? limit : STEP)};
	struct removal removal = {0};
	int r = choose(store, "SELECT task_id FROM task_deliveries WHERE recorded < $1 ORDER BY recorded LIMIT $2",
		       values, array_size(values), &removal, err);

	if (r < 0 || removal.chosen == 0)
		return r;
	r = tasks_lock(store, err);
	if (r == 0)
		r = run_on_chosen(store, DELETE_DELIVERIES, "", &removal, err);
	return tasks_end(store, r, err);
}

/* Events do not name the collection: a task that is not finished may be about the user in any. */
int tasks_erase_user(struct store *store, const char *collection, const char *user_id, uint64_t *removed,
		     struct error *err)
{
	const struct database_value values[] = {database_text(user_id), database_text(collection),
						database_integer(STEP)};
	struct removal removal;
	int r;

	*removed = 0;
	do {
		removal = (struct removal){0};
		r = choose(store,
			   "SELECT task_id FROM tasks WHERE user_id = $1 AND user_id <> ''"
			   " AND (CAST($2 AS TEXT) IS NULL OR collection = $2 OR collection = '') LIMIT $3",
			   values, array_size(values), &removal, err);
		if (r == 0 && removal.chosen > 0)
			r = remove_chosen(store, &removal, err);
		*removed += r == 0 ? removal.removed : 0;
	} while (r == 0 && removal.removed > 0);
	return r;
}
