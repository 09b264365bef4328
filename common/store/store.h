#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/**
 * What outlives every program: enrolled people, and later tasks and schedules. One connection to SQLite
 * (a file of this host) or PostgreSQL (a fleet's), behind one table of operations (database.h).
 * A store belongs to one thread at a time; open one for each thread that needs it. Every call may block, bounded by
 * `timeout_ms`; one that cannot be done now says `store_unavailable` (retry) and leaves nothing half done. A lost
 * PostgreSQL connection is opened again by the next call.
 */
struct store;

struct store_settings {
	const char
	    *url; /**< "sqlite:/path/to/file.db" or "postgresql://user:password@host/database"; never logged whole */
	int64_t timeout_ms; /**< 0 = 5000: for connecting, for a lock, and for each statement */
};

/**
 * Opens the store. Refuses (`config`, fatal) a URL of neither kind and a schema that is newer than this program or
 * older than it (naming `facefleet store migrate`); a store that cannot be reached is `store_unavailable`.
 */
int store_open(struct store **out, const struct store_settings *settings, struct error *err) must_check;

/** NULL is fine. */
void store_close(struct store *store);

/**
 * Brings the schema of a store, empty or of an older release, to this program's version: each migration in one
 * transaction, by one program at a time. `from` and `to` (may be NULL) get the versions before and after.
 */
int store_migrate(const struct store_settings *settings, int *from, int *to, struct error *err) must_check;

#endif
