#include "store/store.h"

#include <stdlib.h>

#include "store/migrations.h"
#include "store/store_private.h"

#define DEFAULT_TIMEOUT_MS 5000

static int open_database(struct database **out, const struct store_settings *settings, int64_t limit_ms, bool creates,
			 struct error *err)
{
	const struct database_opening opening = {
	    .url = settings->url,
	    .timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : DEFAULT_TIMEOUT_MS,
	    .limit_ms = limit_ms,
	    .breakers = settings->breakers,
	    .creates = creates,
	};

	return database_open(out, &opening, err);
}

static int check_schema(struct database *database, struct error *err)
{
	int version = 0;
	int r = migrations_version(database, &version, err);

	if (r < 0 || version == migrations_newest())
		return r;
	return error_set(err, ERROR_CONFIG, "the store's schema is version %d, this program needs %d%s", version,
			 migrations_newest(), version < migrations_newest() ? ": run `facefleet store migrate`" : "");
}

int store_settings_from_config(struct store_settings *out, const struct config *config, struct error *err)
{
	const char *url = config_string(config, OPTION_STORE_URL);

	if (url[0] == '\0')
		return error_set(err, ERROR_CONFIG, "store.url is empty: there is no store");
	*out = (struct store_settings){.url = url, .timeout_ms = config_integer(config, OPTION_STORE_TIMEOUT)};
	return 0;
}

static int open_store(struct store **out, const struct store_settings *settings, int64_t limit_ms, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return error_set(err, ERROR_INTERNAL, "no memory for a store");
	int r = open_database(&store->database, settings, limit_ms, false, err);
	if (r == 0)
		r = check_schema(store->database, err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*out = store;
	return 0;
}

int store_open(struct store **out, const struct store_settings *settings, struct error *err)
{
	return open_store(out, settings, 0, err);
}

int store_open_within(struct store **out, const struct store_settings *settings, int64_t ms, struct error *err)
{
	return open_store(out, settings, ms < 1 ? 1 : ms, err);
}

int store_open_from_config(struct store **out, const struct config *config, struct error *err)
{
	struct store_settings settings;
	int r = store_settings_from_config(&settings, config, err);

	return r == 0 ? store_open(out, &settings, err) : r;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	database_close(store->database);
	free(store);
}

void store_limit(struct store *store, int64_t ms)
{
	database_limit(store->database, ms);
}

int store_migrate(const struct store_settings *settings, int *from, int *to, struct error *err)
{
	struct database *database;
	int before = 0;
	int after = 0;
	int r = open_database(&database, settings, 0, true, err);

	if (r < 0)
		return r;
	r = migrations_version(database, &before, err);
	if (r == 0)
		r = migrations_apply(database, err);
	if (r == 0)
		r = migrations_version(database, &after, err);
	if (r == 0 && from)
		*from = before;
	if (r == 0 && to)
		*to = after;
	database_close(database);
	return r;
}

static int note_counts(void *arg, const struct database_row *row, struct error *err)
{
	struct store_summary *summary = arg;

	(void)err;
	summary->version = (uint64_t)database_row_integer(row, 0);
	summary->collections = (uint64_t)database_row_integer(row, 1);
	summary->people = (uint64_t)database_row_integer(row, 2);
	summary->images = (uint64_t)database_row_integer(row, 3);
	summary->embeddings = (uint64_t)database_row_integer(row, 4);
	return 0;
}

/* A person without images is only remembered as unenrolled. */
static int count(struct database *database, struct store_summary *summary, struct error *err)
{
	int r = database_begin_bulk(database, err);

	if (r == 0)
		r = database_run(database,
				 &(struct database_statement){
				     .sql =
					 "SELECT (SELECT version FROM people_version),"
					 " (SELECT COUNT(DISTINCT collection) FROM images),"
					 " (SELECT COUNT(*) FROM (SELECT DISTINCT collection, user_id FROM images) p),"
					 " (SELECT COUNT(*) FROM images), (SELECT COUNT(*) FROM embeddings)",
				     .fn = note_counts,
				     .arg = summary},
				 err);
	database_rollback(database);
	return r;
}

int store_describe(const struct store_settings *settings, struct store_summary *out, struct error *err)
{
	struct store_summary summary = {.needed_schema = migrations_newest()};
	struct database *database;
	int r = open_database(&database, settings, 0, false, err);

	if (r < 0)
		return r;
	summary.engine = database->ops == &database_sqlite ? "SQLite" : "PostgreSQL";
	r = migrations_version(database, &summary.schema, err);
	if (r == 0 && summary.schema == summary.needed_schema)
		r = count(database, &summary, err);
	database_close(database);
	if (r == 0)
		*out = summary;
	return r;
}
