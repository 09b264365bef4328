/* Looking at schedules. */
#include <string.h>

#include "store/schedules_private.h"

#define COLUMNS                                                                                                        \
	"schedule_id, name, owner, op, scene, user_id, collection, cron, time_zone, every_ms, misfire, due_ms,"        \
	" task_id, created_at_ms, last_run_ms"
#define JOB_COLUMN 15

struct reader {
	schedule_fn *fn;
	void *arg;
	bool has_job;
	bool any;
};

static void read_id(const struct database_row *row, unsigned column, char out[UUID_SIZE])
{
	strncpy(out, database_row_text(row, column), UUID_SIZE - 1);
	out[UUID_SIZE - 1] = '\0';
}

static int pass_schedule(void *arg, const struct database_row *row, struct error *err)
{
	struct reader *reader = arg;
	struct schedule s = {
	    .name = database_row_text(row, 1),
	    .owner = database_row_text(row, 2),
	    .op = database_row_text(row, 3),
	    .scene = database_row_text(row, 4),
	    .user_id = database_row_text(row, 5),
	    .collection = database_row_text(row, 6),
	    .cron = database_row_text(row, 7),
	    .time_zone = database_row_text(row, 8),
	    .every_ms = database_row_integer(row, 9),
	    .misfire = database_row_integer(row, 10) == MISFIRE_SKIP ? MISFIRE_SKIP : MISFIRE_RUN_ONCE,
	    .due_ms = database_row_integer(row, 11),
	    .created_at_ms = database_row_integer(row, 13),
	    .last_run_ms = database_row_integer(row, 14),
	};

	reader->any = true;
	read_id(row, 0, s.schedule_id);
	read_id(row, 12, s.task_id);
	if (reader->has_job)
		s.job = database_row_bytes(row, JOB_COLUMN, &s.job_size);
	return reader->fn(reader->arg, &s, err);
}

int schedules_find(struct store *store, const char *schedule_id, schedule_fn *fn, void *arg, bool *found,
		   struct error *err)
{
	const struct database_value id = database_text(schedule_id);
	struct reader reader = {.fn = fn, .arg = arg, .has_job = true};
	int r = database_read(store->database,
			      &(struct database_statement){.sql = "SELECT " COLUMNS ", job FROM schedules"
								  " WHERE schedule_id = $1",
							   .values = &id,
							   .value_count = 1,
							   .fn = pass_schedule,
							   .arg = &reader},
			      err);

	if (r == 0)
		*found = reader.any;
	return r;
}

int schedules_list(struct store *store, const char *owner, const char *after_id, unsigned limit, schedule_fn *fn,
		   void *arg, struct error *err)
{
	const struct database_value values[] = {database_text(after_id), database_integer(limit), database_text(owner)};
	struct reader reader = {.fn = fn, .arg = arg};

	return database_read(
	    store->database,
	    &(struct database_statement){.sql = owner ? "SELECT " COLUMNS
							" FROM schedules WHERE owner = $3 AND schedule_id > $1"
							" ORDER BY schedule_id LIMIT $2"
						      : "SELECT " COLUMNS " FROM schedules WHERE schedule_id > $1"
							" ORDER BY schedule_id LIMIT $2",
					 .values = values,
					 .value_count = owner ? 3 : 2,
					 .fn = pass_schedule,
					 .arg = &reader},
	    err);
}

static int pass_upcoming(void *arg, const struct database_row *row, struct error *err)
{
	const struct reader *reader = arg;
	struct schedule s = {
	    .name = "",
	    .owner = "",
	    .op = "",
	    .scene = "",
	    .user_id = "",
	    .collection = "",
	    .time_zone = "",
	    .due_ms = database_row_integer(row, 1),
	    .misfire = database_row_integer(row, 3) == MISFIRE_SKIP ? MISFIRE_SKIP : MISFIRE_RUN_ONCE,
	    .cron = database_row_text(row, 4),
	    .every_ms = database_row_integer(row, 5),
	};

	read_id(row, 0, s.schedule_id);
	read_id(row, 2, s.task_id);
	return reader->fn(reader->arg, &s, err);
}

int schedules_upcoming(struct store *store, int64_t until_ms, unsigned limit, schedule_fn *fn, void *arg,
		       struct error *err)
{
	const struct database_value values[] = {database_integer(until_ms), database_integer(limit)};
	struct reader reader = {.fn = fn, .arg = arg};

	return database_read(store->database,
			     &(struct database_statement){
				 .sql = "SELECT schedule_id, due_ms, task_id, misfire, cron, every_ms FROM schedules"
					" WHERE due_ms < $1 ORDER BY due_ms, schedule_id LIMIT $2",
				 .values = values,
				 .value_count = array_size(values),
				 .fn = pass_upcoming,
				 .arg = &reader},
			     err);
}

int schedules_version(struct store *store, uint64_t *version, struct error *err)
{
	return database_read(store->database,
			     &(struct database_statement){.sql = "SELECT version FROM schedules_version",
							  .fn = database_note_integer,
							  .arg = version},
			     err);
}

int schedules_count(struct store *store, uint64_t *count, struct error *err)
{
	return database_read(store->database,
			     &(struct database_statement){
				 .sql = "SELECT COUNT(*) FROM schedules", .fn = database_note_integer, .arg = count},
			     err);
}

int schedules_count_of(struct store *store, const char *owner, uint64_t most, uint64_t *count, struct error *err)
{
	const struct database_value values[] = {database_text(owner), database_integer((int64_t)most)};

	return database_read(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT COUNT(*) FROM (SELECT 1 FROM schedules WHERE owner = $1 LIMIT $2) counted",
		.values = values,
		.value_count = array_size(values),
		.fn = database_note_integer,
		.arg = count},
	    err);
}
