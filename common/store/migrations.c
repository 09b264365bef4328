#include "store/migrations.h"

#include <string.h>

/*
 * Step n makes version n of the schema out of version n - 1. A step that was released is never changed: the next one
 * changes what it did. BYTEA is no type of SQLite's, which keeps bytes in such a column all the same.
 */
static const char *const people[] = {
    "CREATE TABLE people_version (version BIGINT NOT NULL)",
    "INSERT INTO people_version VALUES (0)",
    /* Also the log of changes: followers ask for the persons whose version is above theirs. */
    "CREATE TABLE persons (collection TEXT NOT NULL, user_id TEXT NOT NULL, version BIGINT NOT NULL,"
    " removed_accepted BIGINT NOT NULL DEFAULT -1, removed_id TEXT NOT NULL DEFAULT '',"
    " PRIMARY KEY (collection, user_id))",
    "CREATE UNIQUE INDEX persons_by_version ON persons (version)",
    "CREATE TABLE images (collection TEXT NOT NULL, user_id TEXT NOT NULL, image_id TEXT NOT NULL,"
    " accepted BIGINT NOT NULL, crop BYTEA, PRIMARY KEY (collection, user_id, image_id),"
    " FOREIGN KEY (collection, user_id) REFERENCES persons)",
    "CREATE TABLE embeddings (collection TEXT NOT NULL, user_id TEXT NOT NULL, image_id TEXT NOT NULL,"
    " model_id TEXT NOT NULL, vector BYTEA NOT NULL, PRIMARY KEY (collection, user_id, image_id, model_id),"
    " FOREIGN KEY (collection, user_id, image_id) REFERENCES images ON DELETE CASCADE)",
    NULL,
};

/* A model's embeddings in the order they are read in, and a user in every collection. */
static const char *const people_indexes[] = {
    "CREATE INDEX embeddings_by_model ON embeddings (model_id, collection, user_id, image_id)",
    "CREATE INDEX persons_by_user ON persons (user_id, collection)",
    NULL,
};

/*
 * Everything a task says is '' or 0 until somebody says it. One row of counts, kept by whoever changes tasks: it is
 * locked first, so that there is one of them at a time, and nobody ever counts millions of rows. The log has no foreign
 * key, which would cost a look at the task for every line of it.
 */
static const char *const tasks[] = {
    "CREATE TABLE tasks (task_id TEXT NOT NULL PRIMARY KEY, transitions BIGINT NOT NULL, state TEXT NOT NULL,"
    " attempt BIGINT NOT NULL, said BIGINT NOT NULL, worker TEXT NOT NULL, error_code TEXT NOT NULL,"
    " error_text TEXT NOT NULL, next_attempt BIGINT NOT NULL, reply BYTEA, updated BIGINT NOT NULL,"
    " finished BIGINT NOT NULL, op TEXT NOT NULL, scene TEXT NOT NULL, user_id TEXT NOT NULL,"
    " collection TEXT NOT NULL, reference TEXT NOT NULL, owner TEXT NOT NULL, accepted BIGINT NOT NULL,"
    " deadline BIGINT NOT NULL)",
    "CREATE INDEX tasks_by_time ON tasks (accepted, task_id)",
    "CREATE INDEX tasks_by_owner ON tasks (owner, accepted, task_id) WHERE owner <> ''",
    "CREATE INDEX tasks_by_user ON tasks (user_id, accepted, task_id) WHERE user_id <> ''",
    "CREATE INDEX tasks_by_deadline ON tasks (deadline, task_id) WHERE finished = 0",
    "CREATE INDEX tasks_running ON tasks (updated, task_id) WHERE state = 'running'",
    "CREATE INDEX tasks_finished ON tasks (finished, task_id) WHERE finished > 0",
    "CREATE TABLE task_log (task_id TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL,"
    " attempt BIGINT NOT NULL, said BIGINT NOT NULL, worker TEXT NOT NULL, error_code TEXT NOT NULL,"
    " error_text TEXT NOT NULL, next_attempt BIGINT NOT NULL, PRIMARY KEY (task_id, number))",
    "CREATE TABLE task_counts (changes BIGINT NOT NULL, pending BIGINT NOT NULL, running BIGINT NOT NULL,"
    " succeeded BIGINT NOT NULL, failed BIGINT NOT NULL, retrying BIGINT NOT NULL, final_failed BIGINT NOT NULL)",
    "INSERT INTO task_counts VALUES (0, 0, 0, 0, 0, 0, 0)",
    NULL,
};

/* What the gateway and the callback service know of those who call, and of those who are called. */
static const char *const keys[] = {
    "CREATE TABLE api_keys (key_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, hash BYTEA NOT NULL,"
    " scopes BIGINT NOT NULL, rate_milli BIGINT NOT NULL, burst_milli BIGINT NOT NULL, created BIGINT NOT NULL,"
    " revoked BIGINT NOT NULL DEFAULT 0)",
    /* `leased` is 0 once the request was carried out. */
    "CREATE TABLE idempotency_keys (owner TEXT NOT NULL, request_key TEXT NOT NULL, request_hash BYTEA NOT NULL,"
    " task_id TEXT NOT NULL, created BIGINT NOT NULL, leased BIGINT NOT NULL, PRIMARY KEY (owner, request_key))",
    "CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created)",
    "CREATE TABLE callback_endpoints (prefix TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL DEFAULT '',"
    " old_secret TEXT NOT NULL DEFAULT '', created BIGINT NOT NULL, rotated BIGINT NOT NULL DEFAULT 0,"
    " disabled BIGINT NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '')",
    NULL,
};

/* The job is last: listings do not read past what they want. */
static const char *const schedules[] = {
    "CREATE TABLE schedules_version (version BIGINT NOT NULL)",
    "INSERT INTO schedules_version VALUES (0)",
    "CREATE TABLE schedules_lock (holder TEXT NOT NULL, token BIGINT NOT NULL, expires_ms BIGINT NOT NULL)",
    "INSERT INTO schedules_lock VALUES ('', 0, 0)",
    "CREATE TABLE schedules (schedule_id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, owner TEXT NOT NULL,"
    " op TEXT NOT NULL, scene TEXT NOT NULL, user_id TEXT NOT NULL, collection TEXT NOT NULL, cron TEXT NOT NULL,"
    " time_zone TEXT NOT NULL, every_ms BIGINT NOT NULL, misfire BIGINT NOT NULL, due_ms BIGINT NOT NULL,"
    " task_id TEXT NOT NULL, created_at_ms BIGINT NOT NULL, last_run_ms BIGINT NOT NULL, job BYTEA NOT NULL)",
    "CREATE INDEX schedules_by_due ON schedules (due_ms, schedule_id)",
    "CREATE INDEX schedules_by_owner ON schedules (owner, schedule_id)",
    "CREATE INDEX schedules_by_user ON schedules (user_id, collection)",
    NULL,
};

/*
 * Attempts to deliver callbacks, only ever added to. They go with their task; where it is not known, yet or any more,
 * `recorded`, by the recorder's clock, says when.
 */
static const char *const deliveries[] = {
    "CREATE TABLE task_deliveries (task_id TEXT NOT NULL, said BIGINT NOT NULL, attempt BIGINT NOT NULL,"
    " outcome TEXT NOT NULL, origin TEXT NOT NULL, http_status BIGINT NOT NULL, error_text TEXT NOT NULL,"
    " duration_us BIGINT NOT NULL, next_attempt BIGINT NOT NULL, recorded BIGINT NOT NULL,"
    " PRIMARY KEY (task_id, said, attempt))",
    "CREATE INDEX task_deliveries_by_age ON task_deliveries (recorded)",
    NULL,
};

/* Settings of the whole fleet (program '': for all), and each change ever made to them. */
static const char *const settings[] = {
    "CREATE TABLE settings_version (version BIGINT NOT NULL)",
    "INSERT INTO settings_version VALUES (0)",
    "CREATE TABLE settings (program TEXT NOT NULL, setting_key TEXT NOT NULL, value TEXT NOT NULL,"
    " revision BIGINT NOT NULL, PRIMARY KEY (program, setting_key))",
    "CREATE TABLE settings_log (revision BIGINT NOT NULL PRIMARY KEY, changed BIGINT NOT NULL, who TEXT NOT NULL,"
    " program TEXT NOT NULL, setting_key TEXT NOT NULL, old_value TEXT, new_value TEXT)",
    "CREATE INDEX settings_log_by_key ON settings_log (program, setting_key, revision)",
    NULL,
};

/* Keys of before may go on working where they did. */
static const char *const key_collections[] = {
    "ALTER TABLE api_keys ADD COLUMN collections TEXT NOT NULL DEFAULT ''",
    "UPDATE api_keys SET collections = '*'",
    NULL,
};

static const char *const *const steps[] = {people,    people_indexes, tasks,    keys,
					   schedules, deliveries,     settings, key_collections};

int migrations_newest(void)
{
	return (int)array_size(steps);
}

static int note_version(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	*(int *)arg = (int)database_row_integer(row, 0);
	return 0;
}

static int lock_schema(struct database *database, struct error *err)
{
	int r = database->ops->lock_schema(database, err);

	if (r < 0)
		error_prefix(err, "waiting for the schema (is `facefleet store migrate` at work?)");
	return r;
}

/* The first to come makes the table; two at once would fail each other without the lock. Who migrates waits for another
 * who does, and tables may be large; who only looks at the version is told soon. */
static int begin(struct database *database, bool migrates, int *version, struct error *err)
{
	int r = database_begin(database, true, err);

	*version = 0;
	if (r == 0 && migrates && database->ops->allow_bulk)
		r = database->ops->allow_bulk(database, err);
	if (r == 0)
		r = lock_schema(database, err);
	if (r == 0)
		r = database_execute(database, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)",
				     NULL, 0, err);
	return r < 0 ? r
		     : database_run(database,
				    &(struct database_statement){.sql = "SELECT MAX(version) FROM schema_version",
								 .fn = note_version,
								 .arg = version},
				    err);
}

static int end(struct database *database, int r, struct error *err)
{
	if (r == 0)
		r = database_commit(database, err);
	if (r < 0)
		database_rollback(database);
	return r;
}

int migrations_version(struct database *database, int *version, struct error *err)
{
	return end(database, begin(database, false, version, err), err);
}

static int apply_step(struct database *database, int version, struct error *err)
{
	const struct database_value number = database_integer(version);
	int r = 0;

	for (const char *const *sql = steps[version - 1]; r == 0 && *sql; sql++)
		r = database_execute(database, *sql, NULL, 0, err);
	return r < 0 ? r : database_execute(database, "INSERT INTO schema_version VALUES ($1)", &number, 1, err);
}

/* One step, unless another program has done it meanwhile; `done` when there was none. */
static int apply_next(struct database *database, int target, bool *done, struct error *err)
{
	int version;
	int r = begin(database, true, &version, err);

	if (r == 0 && version > migrations_newest())
		r = error_set(err, ERROR_CONFIG, "the store's schema is version %d, this program knows up to %d",
			      version, migrations_newest());
	*done = r == 0 && version >= target;
	if (r == 0 && !*done)
		r = apply_step(database, version + 1, err);
	return end(database, r, err);
}

int migrations_apply_up_to(struct database *database, int version, struct error *err)
{
	bool done = false;
	int r = 0;

	while (r == 0 && !done)
		r = apply_next(database, version, &done, err);
	return r;
}

int migrations_apply(struct database *database, struct error *err)
{
	return migrations_apply_up_to(database, migrations_newest(), err);
}
