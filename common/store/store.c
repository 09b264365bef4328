#include "store/store.h"

#include <stdlib.h>

#include "store/migrations.h"
#include "store/store_private.h"

#define DEFAULT_TIMEOUT_MS 5000

static int open_database(struct database **out, const struct store_settings *settings, struct error *err)
{
	return database_open(out, settings->url, settings->timeout_ms > 0 ? settings->timeout_ms : DEFAULT_TIMEOUT_MS,
			     err);
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

int store_open(struct store **out, const struct store_settings *settings, struct error *err)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return error_set(err, ERROR_INTERNAL, "no memory for a store");
	int r = open_database(&store->database, settings, err);
	if (r == 0)
		r = check_schema(store->database, err);
	if (r < 0) {
		store_close(store);
		return r;
	}
	*out = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	database_close(store->database);
	free(store);
}

int store_migrate(const struct store_settings *settings, int *from, int *to, struct error *err)
{
	struct database *database;
	int before = 0;
	int after = 0;
	int r = open_database(&database, settings, err);

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
