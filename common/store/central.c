#include "store/central.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"

static struct database_value text_or_null(const char *text)
{
	return text ? database_text(text) : (struct database_value){.type = DATABASE_TEXT};
}

static const char *column_or_null(const struct database_row *row, unsigned column)
{
	return database_row_is_null(row, column) ? NULL : database_row_text(row, column);
}

/* --- reading --- */

int central_revision(struct store *store, uint64_t *revision, struct error *err)
{
	return database_read(store->database,
			     &(struct database_statement){.sql = "SELECT version FROM settings_version",
							  .fn = database_note_integer,
							  .arg = revision},
			     err);
}

struct listing {
	central_setting_fn *setting;
	central_change_fn *change;
	void *arg;
};

static int pass_setting(void *arg, const struct database_row *row, struct error *err)
{
	const struct listing *listing = arg;
	const struct central_setting setting = {
	    .program = database_row_text(row, 0),
	    .key = database_row_text(row, 1),
	    .value = column_or_null(row, 2),
	    .revision = (uint64_t)database_row_integer(row, 3),
	};

	return listing->setting(listing->arg, &setting, err);
}

int central_list(struct store *store, central_setting_fn *fn, void *arg, struct error *err)
{
	struct listing listing = {.setting = fn, .arg = arg};

	return database_read(
	    store->database,
	    &(struct database_statement){.sql = "SELECT program, setting_key, value, revision FROM settings"
						" ORDER BY program, setting_key",
					 .fn = pass_setting,
					 .arg = &listing},
	    err);
}

static int pass_change(void *arg, const struct database_row *row, struct error *err)
{
	const struct listing *listing = arg;
	const struct central_change change = {
	    .revision = (uint64_t)database_row_integer(row, 0),
	    .at_ms = database_row_integer(row, 1),
	    .who = database_row_text(row, 2),
	    .program = database_row_text(row, 3),
	    .key = database_row_text(row, 4),
	    .before = column_or_null(row, 5),
	    .after = column_or_null(row, 6),
	};

	return listing->change(listing->arg, &change, err);
}

int central_history(struct store *store, unsigned limit, central_change_fn *fn, void *arg, struct error *err)
{
	const struct database_value values[] = {database_integer(limit)};
	struct listing listing = {.change = fn, .arg = arg};

	return database_read(store->database,
			     &(struct database_statement){
				 .sql = "SELECT revision, changed, who, program, setting_key, old_value, new_value"
					" FROM settings_log ORDER BY revision DESC LIMIT $1",
				 .values = values,
				 .value_count = array_size(values),
				 .fn = pass_change,
				 .arg = &listing},
			     err);
}

int central_undo(struct store *store, uint64_t revision, central_setting_fn *fn, void *arg, struct error *err)
{
	const struct database_value values[] = {database_integer((int64_t)revision)};
	struct listing listing = {.setting = fn, .arg = arg};

	/* The first change after the revision says what there was before. */
	return database_read(store->database,
			     &(struct database_statement){
				 .sql =
				     "SELECT program, setting_key, old_value, CAST(0 AS BIGINT) FROM settings_log AS l"
				     " WHERE revision = (SELECT MIN(revision) FROM settings_log AS m"
				     " WHERE m.program = l.program AND m.setting_key = l.setting_key"
				     " AND m.revision > $1) ORDER BY revision",
				 .values = values,
				 .value_count = array_size(values),
				 .fn = pass_setting,
				 .arg = &listing},
			     err);
}

/* --- writing --- */

/* A copy of what there is; free() it. */
static int copy_value(void *arg, const struct database_row *row, struct error *err)
{
	char **out = arg;

	*out = strdup(database_row_text(row, 0));
	return *out ? 0 : error_set(err, ERROR_INTERNAL, "out of memory");
}

static int read_value(struct store *store, const struct central_setting *s, char **out, struct error *err)
{
	const struct database_value values[] = {database_text(s->program), database_text(s->key)};

	return database_run(
	    store->database,
	    &(struct database_statement){.sql = "SELECT value FROM settings WHERE program = $1 AND setting_key = $2",
					 .values = values,
					 .value_count = array_size(values),
					 .fn = copy_value,
					 .arg = out},
	    err);
}

static int put(struct store *store, const struct central_setting *s, uint64_t revision, struct error *err)
{
	const struct database_value values[] = {database_text(s->program), database_text(s->key),
						text_or_null(s->value), database_integer((int64_t)revision)};

	if (!s->value)
		return database_execute(store->database, "DELETE FROM settings WHERE program = $1 AND setting_key = $2",
					values, 2, err);
	return database_execute(store->database,
				"INSERT INTO settings (program, setting_key, value, revision) VALUES ($1, $2, $3, $4)"
				" ON CONFLICT (program, setting_key) DO UPDATE SET value = excluded.value,"
				" revision = excluded.revision",
				values, array_size(values), err);
}

static int log_change(struct store *store, const struct central_change *c, struct error *err)
{
	const struct database_value values[] = {database_integer((int64_t)c->revision),
						database_integer(c->at_ms),
						database_text(c->who),
						database_text(c->program),
						database_text(c->key),
						text_or_null(c->before),
						text_or_null(c->after)};

	return database_execute(store->database,
				"INSERT INTO settings_log (revision, changed, who, program, setting_key, old_value,"
				" new_value) VALUES ($1, $2, $3, $4, $5, $6, $7)",
				values, array_size(values), err);
}

/* Changes one setting; *revision grows if that is a change. */
static int write_one(struct store *store, const struct central_setting *s, const char *who, int64_t now_ms,
		     uint64_t *revision, struct error *err)
{
	char *before = NULL;
	int r = read_value(store, s, &before, err);
	bool same = before && s->value ? strcmp(before, s->value) == 0 : !before && !s->value;

	if (r == 0 && !same) {
		const struct central_change change = {
		    .revision = ++*revision,
		    .at_ms = now_ms,
		    .who = who,
		    .program = s->program,
		    .key = s->key,
		    .before = before,
		    .after = s->value,
		};
		r = put(store, s, *revision, err);
		if (r == 0)
			r = log_change(store, &change, err);
	}
	free(before);
	return r;
}

static int check_room(struct store *store, struct error *err)
{
	uint64_t count = 0;
	int r = database_run(store->database,
			     &(struct database_statement){
				 .sql = "SELECT COUNT(*) FROM settings", .fn = database_note_integer, .arg = &count},
			     err);

	if (r == 0 && count > CENTRAL_MAX)
		r = error_set(err, ERROR_CONFIG, "more than %d central settings", CENTRAL_MAX);
	return r;
}

static int write_all(struct store *store, const struct central_setting *settings, unsigned count, const char *who,
		     int64_t now_ms, uint64_t *revision, unsigned *changed, struct error *err)
{
	const uint64_t seen = *revision;
	uint64_t before = 0;
	/* The row is locked first: one writer at a time. */
	int r = database_run(
	    store->database,
	    &(struct database_statement){.sql = "UPDATE settings_version SET version = version RETURNING version",
					 .fn = database_note_integer,
					 .arg = &before},
	    err);

	if (r == 0 && before != seen)
		r = error_set(err, ERROR_CONFIG,
			      "somebody else has changed the settings meanwhile; look at them again");
	*revision = before;
	for (unsigned i = 0; i < count && r == 0; i++)
		r = write_one(store, &settings[i], who, now_ms, revision, err);
	if (r == 0)
		r = check_room(store, err);
	*changed = (unsigned)(*revision - before);
	const struct database_value version = database_integer((int64_t)*revision);
	return r < 0 ? r
		     : database_execute(store->database, "UPDATE settings_version SET version = $1", &version, 1, err);
}

int central_write(struct store *store, const struct central_setting *settings, unsigned count, const char *who,
		  int64_t now_ms, uint64_t *revision, unsigned *changed, struct error *err)
{
	uint64_t newest = *revision;
	unsigned written = 0;
	int r = database_begin(store->database, true, err);

	if (r < 0)
		return r;
	r = write_all(store, settings, count, who, now_ms, &newest, &written, err);
	if (r == 0)
		r = database_commit(store->database, err);
	if (r < 0) {
		database_rollback(store->database);
		return r;
	}
	*revision = newest;
	*changed = written;
	return 0;
}
