/* The store of a fleet. */
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "store/database.h"
#include "store/postgres_array.h"
#include "store/postgres_url.h"

/** Any number will do that is the same in every release. */
#define MIGRATION_LOCK "7218340116"

struct postgres {
	struct database base;
	PGconn *connection;
	int64_t timeout_ms;
	bool is_bulk; /* the transaction that was begun last */
};

static PGconn *connection_of(struct database *database)
{
	return ((struct postgres *)database)->connection;
}

/* The first line is what happened; the server's own messages name no password. */
static int fail(struct error *err, enum error_code code, const char *message)
{
	return error_set(err, code, "store: %.*s", (int)strcspn(message, "\n"), message);
}

/* Classes of SQLSTATE that another attempt may mend: connection, resources, operator, conflict, lock, system; and one
 * that was idle in a transaction for too long. */
static bool may_retry(const char *state)
{
	static const char *const classes[] = {"08", "53", "57", "40", "55", "58", "25P03"};

	for (size_t i = 0; i < array_size(classes); i++) {
		if (strncmp(state, classes[i], strlen(classes[i])) == 0)
			return true;
	}
	return false;
}

static int fail_result(PGconn *connection, const PGresult *result, struct error *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool retry = PQstatus(connection) != CONNECTION_OK || !state || may_retry(state);

	return fail(err, retry ? ERROR_STORE_UNAVAILABLE : ERROR_INTERNAL, PQresultErrorMessage(result));
}

static bool is_null(const struct database_row *row, unsigned column)
{
	return PQgetisnull(row->handle, 0, (int)column) != 0;
}

/* Results are binary: integers of 4 or 8 bytes, the highest first. */
static int64_t integer(const struct database_row *row, unsigned column)
{
	const unsigned char *value = (const unsigned char *)PQgetvalue(row->handle, 0, (int)column);
	int size = PQgetlength(row->handle, 0, (int)column);
	uint64_t number = size > 0 && value[0] & 0x80 ? UINT64_MAX : 0;

	for (int i = 0; i < size && i < 8; i++)
		number = number << 8 | value[i];
	return (int64_t)number;
}

static const char *text(const struct database_row *row, unsigned column)
{
	return PQgetvalue(row->handle, 0, (int)column);
}

static const void *bytes(const struct database_row *row, unsigned column, size_t *size)
{
	*size = (size_t)PQgetlength(row->handle, 0, (int)column);
	return PQgetvalue(row->handle, 0, (int)column);
}

static const struct database_row_ops row_ops = {is_null, integer, text, bytes};

/* Parameters as libpq wants them. */
struct parameters {
	Oid types[DATABASE_MAX_VALUES];
	const char *values[DATABASE_MAX_VALUES];
	int lengths[DATABASE_MAX_VALUES];
	int formats[DATABASE_MAX_VALUES];
	char integers[DATABASE_MAX_VALUES][24];
};

static void fill(struct parameters *p, const struct database_statement *statement)
{
	for (unsigned i = 0; i < statement->value_count; i++) {
		const struct database_value *value = &statement->values[i];

		p->types[i] = postgres_types[value->type].scalar;
		p->values[i] = value->data;
		p->lengths[i] = (int)value->size;
		p->formats[i] = value->type == DATABASE_BYTES;
		if (value->type == DATABASE_INTEGER) {
			snprintf(p->integers[i], sizeof(p->integers[i]), "%" PRId64, value->integer);
			p->values[i] = p->integers[i];
		}
	}
}

/* --- waiting, but not for ever --- */

/* The server ends a statement by itself in time; this is for one that does not answer any more. */
#define SLACK_MS 1000

static int fail_silent(struct postgres *p, struct error *err)
{
	/* What may still come would be taken for the next statement's answer. */
	shutdown(PQsocket(p->connection), SHUT_RDWR);
	(void)!PQconsumeInput(p->connection);
	return error_set(err, ERROR_STORE_UNAVAILABLE, "store: the server does not answer");
}

static int wait_for(struct postgres *p, short events, int64_t until_ms, struct error *err)
{
	struct pollfd fd = {.fd = PQsocket(p->connection), .events = events};
	int64_t left_ms = until_ms - clock_monotonic_ms();
	int ready = left_ms > 0 ? poll(&fd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) : 0;

	if (ready > 0 || (ready < 0 && errno == EINTR))
		return 0;
	return fail_silent(p, err);
}

/* Sends what libpq could not send at once. Reads meanwhile, so that no server waits for us to. */
static int flush(struct postgres *p, int64_t until_ms, struct error *err)
{
	int left;
	int r = 0;

	while (r == 0 && (left = PQflush(p->connection)) != 0) {
		if (left < 0 || !PQconsumeInput(p->connection))
			return fail(err, ERROR_STORE_UNAVAILABLE, PQerrorMessage(p->connection));
		r = wait_for(p, POLLIN | POLLOUT, until_ms, err);
	}
	return r;
}

/* Until the next result can be had without waiting. */
static int await_result(struct postgres *p, int64_t until_ms, struct error *err)
{
	int r = 0;

	while (r == 0 && PQisBusy(p->connection)) {
		r = wait_for(p, POLLIN, until_ms, err);
		if (r == 0 && !PQconsumeInput(p->connection))
			return fail(err, ERROR_STORE_UNAVAILABLE, PQerrorMessage(p->connection));
	}
	return r;
}

static int read_result(PGconn *connection, PGresult *result, const struct database_statement *statement,
		       struct error *err)
{
	const struct database_row row = {.ops = &row_ops, .handle = result};
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_SINGLE_TUPLE)
		return statement->fn ? statement->fn(statement->arg, &row, err) : 0;
	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? 0 : fail_result(connection, result, err);
}

/* Row by row, so that a large result is never gathered; all of it is taken off the connection whatever happens. */
static int read_results(struct postgres *p, const struct database_statement *statement, int64_t until_ms,
			struct error *err)
{
	PGresult *result;
	int r = 0;

	for (;;) {
		int waited = await_result(p, until_ms, r == 0 ? err : NULL);

		if (waited < 0)
			return r < 0 ? r : waited;
		result = PQgetResult(p->connection);
		if (!result)
			return r;
		if (r == 0)
			r = read_result(p->connection, result, statement, err);
		PQclear(result);
	}
}

/* A caller in a hurry does not wait for the server to give up. */
static int64_t patience_ms(const struct postgres *p)
{
	if (p->base.limit_ms < p->timeout_ms)
		return p->base.limit_ms;
	return (p->is_bulk ? DATABASE_BULK : 1) * p->timeout_ms + SLACK_MS;
}

static int send_and_read(struct postgres *p, const struct database_statement *statement,
			 const struct parameters *parameters, struct error *err)
{
	int64_t until_ms = clock_monotonic_ms() + patience_ms(p);

	if (!PQsendQueryParams(p->connection, statement->sql, (int)statement->value_count, parameters->types,
			       parameters->values, parameters->lengths, parameters->formats, 1))
		return fail(err, ERROR_STORE_UNAVAILABLE, PQerrorMessage(p->connection));
	PQsetSingleRowMode(p->connection);
	int r = flush(p, until_ms, err);
	return r < 0 ? r : read_results(p, statement, until_ms, err);
}

static int run(struct database *database, const struct database_statement *statement, struct error *err)
{
	struct parameters parameters;

	if (statement->value_count > DATABASE_MAX_VALUES)
		return error_set(err, ERROR_INTERNAL, "store: %u parameters", statement->value_count);
	fill(&parameters, statement);
	return send_and_read((struct postgres *)database, statement, &parameters, err);
}

/* A step of something that is reported as a whole. */
static int execute(struct database *database, const char *sql, struct error *err)
{
	return run(database, &(struct database_statement){.sql = sql}, err);
}

/* --- many rows: a column is one parameter, an array --- */

/* Where the arrays are is known only when the last one is there: until then a value is its place. */
static int fill_arrays(struct parameters *p, const struct database_rows *rows, struct buffer *sql,
		       struct buffer *arrays)
{
	size_t places[DATABASE_MAX_VALUES];
	int r = buffer_printf(sql, "%s SELECT * FROM unnest", rows->into);

	for (unsigned i = 0; r == 0 && i < rows->columns; i++) {
		places[i] = arrays->size;
		r = postgres_array_append(arrays, rows, i);
		p->types[i] = postgres_types[rows->values[i].type].array;
		p->lengths[i] = (int)(arrays->size - places[i]);
		p->formats[i] = 1;
		if (r == 0)
			r = buffer_printf(sql, "%c$%u", i == 0 ? '(' : ',', i + 1);
	}
	for (unsigned i = 0; r == 0 && i < rows->columns; i++)
		p->values[i] = (const char *)arrays->data + places[i];
	return r == 0 ? buffer_printf(sql, ") %s", rows->tail) : r;
}

static int insert(struct database *database, const struct database_rows *rows, struct error *err)
{
	struct buffer sql = {0};
	struct buffer arrays = {.limit = INT_MAX / 2};
	struct parameters parameters;
	int r;

	if (rows->columns > DATABASE_MAX_VALUES)
		return error_set(err, ERROR_INTERNAL, "store: %u columns", rows->columns);
	if (fill_arrays(&parameters, rows, &sql, &arrays) == 0)
		r = send_and_read(
		    (struct postgres *)database,
		    &(struct database_statement){.sql = (const char *)sql.data, .value_count = rows->columns},
		    &parameters, err);
	else
		r = error_set(err, ERROR_INTERNAL, "no memory for %u rows", rows->count);
	buffer_finish(&sql);
	buffer_finish(&arrays);
	return r;
}

/* `how` is "SET" or "SET LOCAL". */
static int set_limit(struct postgres *p, const char *how, const char *name, int64_t ms, struct error *err)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "%s %s = %" PRId64, how, name, ms);
	return execute(&p->base, sql, err);
}

/* Who writes does not wait between two statements of a transaction: a program that does hangs, or its host is gone, and
 * the server would keep its locks from all others. */
#define IDLE_LIMIT "idle_in_transaction_session_timeout"
#define IDLE_MS(timeout_ms) (4 * (timeout_ms) + SLACK_MS)

static int set_up(struct postgres *p, struct error *err)
{
	int r = set_limit(p, "SET", "statement_timeout", p->timeout_ms, err);

	if (r == 0)
		r = set_limit(p, "SET", IDLE_LIMIT, IDLE_MS(p->timeout_ms), err);
	return r < 0 ? r : execute(&p->base, "SET client_min_messages = warning", err);
}

static int connect_again(struct postgres *p, struct error *err)
{
	PQreset(p->connection);
	if (PQstatus(p->connection) != CONNECTION_OK)
		return fail(err, ERROR_STORE_UNAVAILABLE, PQerrorMessage(p->connection));
	PQsetnonblocking(p->connection, 1);
	return set_up(p, err);
}

/* One that was given up in the middle of an answer takes no more statements, even while the rest of it can be read. */
static bool is_lost(const PGconn *connection)
{
	return PQstatus(connection) != CONNECTION_OK || PQtransactionStatus(connection) == PQTRANS_ACTIVE;
}

static bool recover(struct database *database, struct error *err)
{
	struct postgres *p = (struct postgres *)database;

	if (!is_lost(p->connection))
		return false;
	if (err)
		error_clear(err);
	return connect_again(p, err) == 0;
}

/* A connection that was lost since its last use shows only now. Nothing was done on it: another is as good. */
static int begin(struct database *database, bool writes, struct error *err)
{
	const char *sql = writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
	struct postgres *p = (struct postgres *)database;

	p->is_bulk = false;
	int r = execute(database, sql, err);
	if (r < 0 && recover(database, err))
		r = execute(database, sql, err);
	if (r < 0 || writes)
		return r;
	/* Who reads keeps nothing from others, and may hand on what it reads to somebody slow. */
	r = set_limit(p, "SET LOCAL", IDLE_LIMIT, 0, err);
	if (r < 0)
		(void)!execute(database, "ROLLBACK", &(struct error){0});
	return r;
}

static int allow_bulk(struct database *database, struct error *err)
{
	struct postgres *p = (struct postgres *)database;

	p->is_bulk = true;
	return set_limit(p, "SET LOCAL", "statement_timeout", DATABASE_BULK * p->timeout_ms, err);
}

static int lock_schema(struct database *database, struct error *err)
{
	return database_execute(database, "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")", NULL, 0, err);
}

static void close_database(struct database *database)
{
	PQfinish(connection_of(database));
	free(database);
}

/* Notices would go to stderr past the log. */
static void ignore_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static PGconn *connect_to(const char *url, int64_t timeout_ms, int64_t limit_ms)
{
	char seconds[24], user_timeout[24];
	const char *const keys[] = {"dbname", "connect_timeout", "tcp_user_timeout", "fallback_application_name", NULL};
	const char *const values[] = {url, seconds, user_timeout, "facefleet", NULL};

	snprintf(seconds, sizeof(seconds), "%" PRId64, limit_ms < 2000 ? 2 : limit_ms / 1000);
	snprintf(user_timeout, sizeof(user_timeout), "%" PRId64, timeout_ms);
	return PQconnectdbParams(keys, values, 1);
}

static int open_database(struct database **out, const struct database_opening *opening, struct error *err)
{
	int r = postgres_url_check(opening->url, err);

	if (r < 0)
		return r;
	struct postgres *p = calloc(1, sizeof(*p));
	if (!p)
		return error_set(err, ERROR_INTERNAL, "no memory for a store");
	p->base.ops = &database_postgres;
	p->timeout_ms = opening->timeout_ms;
	p->base.limit_ms = opening->limit_ms;
	p->connection = connect_to(opening->url, opening->timeout_ms, opening->limit_ms);
	PQsetNoticeProcessor(p->connection, ignore_notice, NULL);
	PQsetnonblocking(p->connection, 1);
	r = PQstatus(p->connection) == CONNECTION_OK
		? set_up(p, err)
		: fail(err, ERROR_STORE_UNAVAILABLE, PQerrorMessage(p->connection));
	if (r < 0) {
		close_database(&p->base);
		return r;
	}
	*out = &p->base;
	return 0;
}

const struct database_ops database_postgres = {
    .open = open_database,
    .close = close_database,
    .begin = begin,
    .run = run,
    .insert = insert,
    .recover = recover,
    .allow_bulk = allow_bulk,
    .lock_schema = lock_schema,
};
