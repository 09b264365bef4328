#include "store/idempotency.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/store_private.h"

struct standing {
	bool found;
	bool same;
	int64_t leased_ms;
	char task_id[UUID_SIZE];
	const uint8_t *hash;
};

/* Columns: task_id, leased, request_hash. */
static int note_standing(void *arg, const struct database_row *row, struct error *err)
{
	struct standing *standing = arg;
	size_t size;
	const void *hash = database_row_bytes(row, 2, &size);

	(void)err;
	standing->found = true;
	snprintf(standing->task_id, sizeof(standing->task_id), "%s", database_row_text(row, 0));
	standing->leased_ms = database_row_integer(row, 1);
	standing->same =
	    hash && size == IDEMPOTENCY_HASH_SIZE && memcmp(hash, standing->hash, IDEMPOTENCY_HASH_SIZE) == 0;
	return 0;
}

/* Puts the request there, or takes over what is forgotten by now or whose lease ran out. No row: neither. */
static int claim_row(struct store *store, const struct idempotency_request *request, const char *task_id,
		     int64_t now_ms, struct standing *standing, struct error *err)
{
	const struct database_value values[] = {
	    database_text(request->owner),
	    database_text(request->key),
	    database_bytes(request->hash, IDEMPOTENCY_HASH_SIZE),
	    database_text(task_id),
	    database_integer(now_ms),
	    database_integer(now_ms + IDEMPOTENCY_LEASE_MS),
	    database_integer(now_ms - IDEMPOTENCY_KEEP_MS),
	};

	return database_run(
	    store->database,
	    &(struct database_statement){
		.sql = "INSERT INTO idempotency_keys AS k (owner, request_key, request_hash, task_id, created, leased)"
		       " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (owner, request_key) DO UPDATE SET"
		       " request_hash = excluded.request_hash, leased = excluded.leased,"
		       " task_id = CASE WHEN k.created <= $7 THEN excluded.task_id ELSE k.task_id END,"
		       " created = CASE WHEN k.created <= $7 THEN excluded.created ELSE k.created END"
		       " WHERE k.created <= $7"
		       " OR (k.leased > 0 AND k.leased <= $5 AND k.request_hash = excluded.request_hash)"
		       " RETURNING task_id, leased, request_hash",
		.values = values,
		.value_count = array_size(values),
		.fn = note_standing,
		.arg = standing},
	    err);
}

static int look_at_row(struct store *store, const struct idempotency_request *request, struct standing *standing,
		       struct error *err)
{
	const struct database_value values[] = {database_text(request->owner), database_text(request->key)};
	int r = database_run(
	    store->database,
	    &(struct database_statement){.sql = "SELECT task_id, leased, request_hash FROM idempotency_keys"
						" WHERE owner = $1 AND request_key = $2",
					 .values = values,
					 .value_count = array_size(values),
					 .fn = note_standing,
					 .arg = standing},
	    err);

	/* It was there a moment ago: released or purged meanwhile. */
	if (r == 0 && !standing->found)
		return error_set(err, ERROR_STORE_UNAVAILABLE, "store: an idempotency key went while it was looked at");
	return r;
}

int idempotency_reserve(struct store *store, const struct idempotency_request *request, const char *task_id,
			int64_t now_ms, struct idempotency_claim *claim, struct error *err)
{
	struct standing standing = {.hash = request->hash};
	int r = database_begin(store->database, true, err);

	if (r == 0)
		r = claim_row(store, request, task_id, now_ms, &standing, err);
	bool claimed = standing.found;
	if (r == 0 && !claimed)
		r = look_at_row(store, request, &standing, err);
	if (r == 0)
		r = database_commit(store->database, err);
	if (r < 0) {
		database_rollback(store->database);
		return r;
	}
	*claim = (struct idempotency_claim){
	    .leased_ms = standing.leased_ms,
	    .may_be_done = claimed && strcmp(standing.task_id, task_id) != 0,
	};
	memcpy(claim->task_id, standing.task_id, UUID_SIZE);
	claim->state = claimed                   ? IDEMPOTENCY_NEW
		       : !standing.same          ? IDEMPOTENCY_DIFFERENT
		       : standing.leased_ms == 0 ? IDEMPOTENCY_DONE
						 : IDEMPOTENCY_IN_FLIGHT;
	return 0;
}

int idempotency_complete(struct store *store, const struct idempotency_request *request,
			 const struct idempotency_claim *claim, struct error *err)
{
	const struct database_value values[] = {database_text(request->owner), database_text(request->key),
						database_text(claim->task_id)};

	/* Whoever took it over meanwhile has the same task id, and it was published. */
	return database_write(store->database,
			      &(struct database_statement){.sql = "UPDATE idempotency_keys SET leased = 0"
								  " WHERE owner = $1 AND request_key = $2"
								  " AND task_id = $3",
							   .values = values,
							   .value_count = array_size(values)},
			      err);
}

int idempotency_release(struct store *store, const struct idempotency_request *request,
			const struct idempotency_claim *claim, struct error *err)
{
	const struct database_value values[] = {database_text(request->owner), database_text(request->key),
						database_integer(claim->leased_ms)};

	if (claim->leased_ms == 0)
		return 0;
	/* A lease that ran out long ago is anybody's. */
	return database_write(store->database,
			      &(struct database_statement){
				  .sql = claim->may_be_done ? "UPDATE idempotency_keys SET leased = 1"
							      " WHERE owner = $1 AND request_key = $2 AND leased = $3"
							    : "DELETE FROM idempotency_keys"
							      " WHERE owner = $1 AND request_key = $2 AND leased = $3",
				  .values = values,
				  .value_count = array_size(values)},
			      err);
}

static int count_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(unsigned *)arg;
	return 0;
}

int idempotency_purge(struct store *store, int64_t now_ms, unsigned limit, unsigned *removed, struct error *err)
{
	const struct database_value values[] = {database_integer(now_ms - IDEMPOTENCY_KEEP_MS),
						database_integer(limit)};
	unsigned count = 0;
	int r = database_write(
	    store->database,
	    &(struct database_statement){
		.sql =
		    "DELETE FROM idempotency_keys WHERE created <= $1 AND (owner, request_key) IN"
		    " (SELECT owner, request_key FROM idempotency_keys WHERE created <= $1 ORDER BY created LIMIT $2)"
		    " RETURNING owner",
		.values = values,
		.value_count = array_size(values),
		.fn = count_row,
		.arg = &count},
	    err);

	if (r == 0)
		*removed = count;
	return r;
}
