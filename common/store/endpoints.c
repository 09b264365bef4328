#include "store/endpoints.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/random.h"
#include "store/store_private.h"

#define SECRET_PREFIX "whsec_"
#define SECRET_BYTES 32

static void make_secret(char out[ENDPOINTS_SECRET_SIZE])
{
	uint8_t bytes[SECRET_BYTES];

	_Static_assert(sizeof(SECRET_PREFIX) - 1 + (SECRET_BYTES + 2) / 3 * 4 < ENDPOINTS_SECRET_SIZE,
		       "a secret has room");
	random_bytes(bytes, sizeof(bytes));
	strcpy(out, SECRET_PREFIX);
	base64_encode(bytes, sizeof(bytes), out + strlen(SECRET_PREFIX));
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

/* Ends a transaction, and returns how. */
static int end(struct store *store, int r, struct error *err)
{
	if (r == 0)
		r = database_commit(store->database, err);
	if (r < 0)
		database_rollback(store->database);
	return r;
}

/* --- secrets --- */

struct standing {
	bool found;
	bool has_secret;
	int64_t others; /* endpoints there are */
};

static int note_standing(void *arg, const struct database_row *row, struct error *err)
{
	struct standing *standing = arg;

	(void)err;
	standing->others = database_row_integer(row, 0);
	standing->found = !database_row_is_null(row, 1);
	standing->has_secret = database_row_text(row, 1)[0] != '\0';
	return 0;
}

static int look(struct store *store, const char *prefix, struct standing *standing, struct error *err)
{
	const struct database_value values[] = {database_text(prefix)};

	*standing = (struct standing){0};
	return database_run(
	    store->database,
	    &(struct database_statement){.sql = "SELECT (SELECT COUNT(*) FROM callback_endpoints),"
						" (SELECT secret FROM callback_endpoints WHERE prefix = $1)",
					 .values = values,
					 .value_count = array_size(values),
					 .fn = note_standing,
					 .arg = standing},
	    err);
}

static int put_secret(struct store *store, const char *prefix, const char *secret, int64_t now_ms, struct error *err)
{
	const struct database_value values[] = {database_text(prefix), database_text(secret), database_integer(now_ms)};

	return database_execute(store->database,
				"INSERT INTO callback_endpoints AS e (prefix, secret, created) VALUES ($1, $2, $3)"
				" ON CONFLICT (prefix) DO UPDATE SET secret = excluded.secret, old_secret = e.secret,"
				" rotated = CASE WHEN e.secret = '' THEN 0 ELSE excluded.created END",
				values, array_size(values), err);
}

int endpoints_set_secret(struct store *store, const char *prefix, bool rotate, int64_t now_ms,
			 char secret[ENDPOINTS_SECRET_SIZE], enum endpoints_outcome *outcome, struct error *err)
{
	char made[ENDPOINTS_SECRET_SIZE];
	struct standing standing;
	int r = database_begin(store->database, true, err);

	if (r == 0)
		r = look(store, prefix, &standing, err);
	enum endpoints_outcome found = r < 0                                                 ? ENDPOINTS_EXISTS
				       : standing.has_secret && !rotate                      ? ENDPOINTS_EXISTS
				       : standing.has_secret                                 ? ENDPOINTS_ROTATED
				       : !standing.found && standing.others >= ENDPOINTS_MAX ? ENDPOINTS_TOO_MANY
											     : ENDPOINTS_MADE;
	bool puts = found == ENDPOINTS_MADE || found == ENDPOINTS_ROTATED;
	make_secret(made);
	if (r == 0 && puts)
		r = put_secret(store, prefix, made, now_ms, err);
	r = end(store, r, err);
	if (r == 0 && puts)
		memcpy(secret, made, sizeof(made));
	if (r == 0)
		*outcome = found;
	OPENSSL_cleanse(made, sizeof(made));
	return r;
}

bool endpoints_is_rotating(const struct callback_endpoint *endpoint, int64_t now_ms)
{
	return endpoint->old_secret[0] != '\0' && now_ms - endpoint->rotated_at_ms < ENDPOINTS_ROTATION_MS;
}

/* --- all of them --- */

struct listing {
	callback_endpoint_fn *fn;
	void *arg;
};

static int pass_endpoint(void *arg, const struct database_row *row, struct error *err)
{
	const struct listing *listing = arg;
	struct callback_endpoint endpoint = {
	    .created_at_ms = database_row_integer(row, 3),
	    .rotated_at_ms = database_row_integer(row, 4),
	    .disabled_at_ms = database_row_integer(row, 5),
	};

	snprintf(endpoint.prefix, sizeof(endpoint.prefix), "%s", database_row_text(row, 0));
	snprintf(endpoint.secret, sizeof(endpoint.secret), "%s", database_row_text(row, 1));
	snprintf(endpoint.old_secret, sizeof(endpoint.old_secret), "%s", database_row_text(row, 2));
	snprintf(endpoint.reason, sizeof(endpoint.reason), "%s", database_row_text(row, 6));
	int r = listing->fn(listing->arg, &endpoint, err);
	OPENSSL_cleanse(&endpoint, sizeof(endpoint));
	return r;
}

int endpoints_list(struct store *store, callback_endpoint_fn *fn, void *arg, struct error *err)
{
	struct listing listing = {fn, arg};

	return database_read(
	    store->database,
	    &(struct database_statement){.sql = "SELECT prefix, secret, old_secret, created, rotated, disabled, reason"
						" FROM callback_endpoints ORDER BY prefix",
					 .fn = pass_endpoint,
					 .arg = &listing},
	    err);
}

/* --- on and off --- */

int endpoints_disable(struct store *store, const char *prefix, const char *reason, int64_t now_ms, bool *done,
		      struct error *err)
{
	char cut[ENDPOINTS_REASON_SIZE];
	bool any = false;

	snprintf(cut, sizeof(cut), "%s", reason);
	const struct database_value values[] = {database_text(prefix), database_text(cut), database_integer(now_ms),
						database_integer(ENDPOINTS_MAX)};

	/* Known ones, and new ones while there is room. */
	int r = database_write(
	    store->database,
	    &(struct database_statement){
		.sql = "INSERT INTO callback_endpoints AS e (prefix, created, disabled, reason)"
		       " SELECT CAST($1 AS TEXT), $3, $3, CAST($2 AS TEXT)"
		       " WHERE (SELECT COUNT(*) FROM callback_endpoints WHERE prefix <> $1) < $4"
		       " OR EXISTS (SELECT 1 FROM callback_endpoints WHERE prefix = $1)"
		       " ON CONFLICT (prefix) DO UPDATE SET disabled = excluded.disabled, reason = excluded.reason"
		       " WHERE e.disabled = 0 RETURNING prefix",
		.values = values,
		.value_count = array_size(values),
		.fn = database_note_row,
		.arg = &any},
	    err);
	if (r == 0)
		*done = any;
	return r;
}

static int run_on(struct store *store, const char *sql, const char *prefix, bool *any, struct error *err)
{
	const struct database_value values[] = {database_text(prefix)};

	return database_run(
	    store->database,
	    &(struct database_statement){
		.sql = sql, .values = values, .value_count = array_size(values), .fn = database_note_row, .arg = any},
	    err);
}

int endpoints_enable(struct store *store, const char *prefix, bool *found, struct error *err)
{
	bool any = false;
	int r = database_begin(store->database, true, err);

	if (r == 0)
		r = run_on(store, "DELETE FROM callback_endpoints WHERE prefix = $1 AND secret = '' RETURNING prefix",
			   prefix, &any, err);
	if (r == 0 && !any)
		r = run_on(store,
			   "UPDATE callback_endpoints SET disabled = 0, reason = '' WHERE prefix = $1 RETURNING prefix",
			   prefix, &any, err);
	r = end(store, r, err);
	if (r == 0)
		*found = any;
	return r;
}

int endpoints_remove(struct store *store, const char *prefix, bool *found, struct error *err)
{
	bool any = false;
	int r = database_begin(store->database, true, err);

	if (r == 0)
		r = run_on(store, "DELETE FROM callback_endpoints WHERE prefix = $1 RETURNING prefix", prefix, &any,
			   err);
	r = end(store, r, err);
	if (r == 0)
		*found = any;
	return r;
}
