#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/**
 * What outlives every program: enrolled people, and later tasks and schedules. One connection to SQLite
 * (a file of this host) or PostgreSQL (a fleet's), behind one table of operations (database.h).
 * A store belongs to one thread at a time; open one for each thread that needs it. Every call may block, bounded by
 * `timeout_ms`; one that cannot be done now says `store_unavailable` (retry) and leaves nothing half done. A lost
 * PostgreSQL connection is opened again by the next call; PostgreSQL ends a transaction of a program that hangs.
 */
struct store;
struct breakers; /* obs/breakers.h */

struct store_settings {
	const char
	    *url; /**< "sqlite:/path/to/file.db" or "postgresql://user:password@host/database"; never logged whole */
	int64_t timeout_ms;        /**< 0 = 5000: for connecting, for a lock, and for each statement */
	struct breakers *breakers; /**< of this process, one for all connections; NULL: each call tries anew */
};

/**
 * Opens the store. Refuses (`config`, fatal) a URL of neither kind, a file that is not there and a schema that is newer
 * than this program or older than it (naming `facefleet store migrate`); a store that cannot be reached is
 * `store_unavailable`.
 */
int store_open(struct store **out, const struct store_settings *settings, struct error *err) must_check;

/**
 * The same, and store_limit() holds from the beginning; connecting to PostgreSQL may take 2 s all the same. For callers
 * with a deadline of their own.
 */
int store_open_within(struct store **out, const struct store_settings *settings, int64_t ms,
		      struct error *err) must_check;

/**
 * From now on a call waits for at most `ms`, if that is less than `timeout_ms`; what takes longer is
 * `store_unavailable`. For callers with a deadline of their own. Making a lost connection anew takes as long as ever.
 * Never blocks.
 */
void store_limit(struct store *store, int64_t ms);

/** Borrows store.url and takes store.timeout_ms. `config` when there is no URL. */
int store_settings_from_config(struct store_settings *out, const struct config *config, struct error *err) must_check;

/** Opens the store that store.url names; `err` is that of one of the two above. */
int store_open_from_config(struct store **out, const struct config *config, struct error *err) must_check;

/** NULL is fine. */
void store_close(struct store *store);

/**
 * Brings the schema of a store, empty or of an older release, to this program's version: each migration in one
 * transaction, by one program at a time. `from` and `to` (may be NULL) get the versions before and after.
 */
int store_migrate(const struct store_settings *settings, int *from, int *to, struct error *err) must_check;

struct store_summary {
	const char *engine; /**< "SQLite" or "PostgreSQL". Static storage. */
	int schema;
	int needed_schema; /**< by this program; what follows is 0 while they differ */
	uint64_t version;  /**< the newest change of people */
	uint64_t collections;
	uint64_t people;
	uint64_t images;
	uint64_t embeddings;
};

/** What there is in a store of any schema; its errors are those of store_open() without those of the schema. */
int store_describe(const struct store_settings *settings, struct store_summary *out, struct error *err) must_check;

#endif
