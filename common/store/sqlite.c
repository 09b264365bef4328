/* The store in a file of this host. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "store/database.h"

struct sqlite {
	struct database base;
	sqlite3 *handle;
};

static sqlite3 *handle_of(struct database *database)
{
	return ((struct sqlite *)database)->handle;
}

/* A lock that was not free in time, a full disk and the like may be better the next time; the rest is our own fault. */
static int fail(sqlite3 *handle, struct error *err)
{
	switch (sqlite3_errcode(handle)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_IOERR:
	case SQLITE_FULL:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_NOMEM:
	case SQLITE_INTERRUPT:
		return error_set(err, ERROR_STORE_UNAVAILABLE, "store: %s", sqlite3_errmsg(handle));
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return error_set(err, ERROR_CONFIG, "store: %s: %s", sqlite3_db_filename(handle, "main"),
				 sqlite3_errmsg(handle));
	default:
		return error_set(err, ERROR_INTERNAL, "store: %s", sqlite3_errmsg(handle));
	}
}

static bool is_null(const struct database_row *row, unsigned column)
{
	return sqlite3_column_type(row->handle, (int)column) == SQLITE_NULL;
}

static int64_t integer(const struct database_row *row, unsigned column)
{
	return sqlite3_column_int64(row->handle, (int)column);
}

static const char *text(const struct database_row *row, unsigned column)
{
	const unsigned char *value = sqlite3_column_text(row->handle, (int)column);

	return value ? (const char *)value : "";
}

static const void *bytes(const struct database_row *row, unsigned column, size_t *size)
{
	const void *value = sqlite3_column_blob(row->handle, (int)column);

	*size = (size_t)sqlite3_column_bytes(row->handle, (int)column);
	return value;
}

static const struct database_row_ops row_ops = {is_null, integer, text, bytes};

static int bind_at(sqlite3_stmt *statement, int at, const struct database_value *value)
{
	if (value->type == DATABASE_INTEGER)
		return sqlite3_bind_int64(statement, at, value->integer);
	if (!value->data)
		return sqlite3_bind_null(statement, at);
	if (value->type == DATABASE_TEXT)
		return sqlite3_bind_text64(statement, at, value->data, value->size, SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(statement, at, value->data, value->size, SQLITE_STATIC);
}

static int bind_value(sqlite3_stmt *statement, unsigned number, const struct database_value *value)
{
	char name[16];

	snprintf(name, sizeof(name), "$%u", number);
	int at = sqlite3_bind_parameter_index(statement, name);
	return at == 0 ? SQLITE_OK /* not in this statement */ : bind_at(statement, at, value);
}

static int step(sqlite3 *handle, sqlite3_stmt *compiled, const struct database_statement *statement, struct error *err)
{
	const struct database_row row = {.ops = &row_ops, .handle = compiled};
	int status;

	while ((status = sqlite3_step(compiled)) == SQLITE_ROW) {
		int r = statement->fn ? statement->fn(statement->arg, &row, err) : 0;

		if (r < 0)
			return r;
	}
	return status == SQLITE_DONE ? 0 : fail(handle, err);
}

static int run(struct database *database, const struct database_statement *statement, struct error *err)
{
	sqlite3 *handle = handle_of(database);
	sqlite3_stmt *compiled = NULL;
	int status = sqlite3_prepare_v2(handle, statement->sql, -1, &compiled, NULL);

	for (unsigned i = 0; status == SQLITE_OK && i < statement->value_count; i++)
		status = bind_value(compiled, i + 1, &statement->values[i]);
	int r = status == SQLITE_OK ? step(handle, compiled, statement, err) : fail(handle, err);
	sqlite3_finalize(compiled);
	return r;
}

/* --- many rows --- */

static int print_insert(struct buffer *sql, const struct database_rows *rows)
{
	int r = buffer_printf(sql, "%s VALUES", rows->into);

	for (unsigned i = 0; r == 0 && i < rows->columns; i++)
		r = buffer_printf(sql, "%c$%u", i == 0 ? '(' : ',', i + 1);
	return r == 0 ? buffer_printf(sql, ") %s", rows->tail) : r;
}

static int insert_row(sqlite3 *handle, sqlite3_stmt *compiled, const struct database_value *values, unsigned columns,
		      struct error *err)
{
	int status = SQLITE_OK;

	for (unsigned i = 0; status == SQLITE_OK && i < columns; i++)
		status = bind_at(compiled, (int)i + 1, &values[i]);
	if (status != SQLITE_OK || sqlite3_step(compiled) != SQLITE_DONE)
		return fail(handle, err);
	sqlite3_reset(compiled);
	return 0;
}

/* A file is near: what costs is compiling the statement, which is done once. */
static int insert(struct database *database, const struct database_rows *rows, struct error *err)
{
	sqlite3 *handle = handle_of(database);
	sqlite3_stmt *compiled = NULL;
	struct buffer sql = {0};

	if (print_insert(&sql, rows) < 0) {
		buffer_finish(&sql);
		return error_set(err, ERROR_INTERNAL, "no memory for a statement");
	}
	int status = sqlite3_prepare_v2(handle, (const char *)sql.data, -1, &compiled, NULL);
	int r = status == SQLITE_OK ? 0 : fail(handle, err);
	for (unsigned i = 0; r == 0 && i < rows->count; i++)
		r = insert_row(handle, compiled, rows->values + (size_t)i * rows->columns, rows->columns, err);
	sqlite3_finalize(compiled);
	buffer_finish(&sql);
	return r;
}

/* Taking the lock at once, a transaction that writes cannot lose what it has read to another. */
static int begin(struct database *database, bool writes, struct error *err)
{
	return run(database, &(struct database_statement){.sql = writes ? "BEGIN IMMEDIATE" : "BEGIN"}, err);
}

/* BEGIN IMMEDIATE holds the only lock there is. */
static int lock_schema(struct database *database, struct error *err)
{
	(void)database;
	(void)err;
	return 0;
}

static void close_database(struct database *database)
{
	sqlite3_close(handle_of(database));
	free(database);
}

#define AGAIN_MS 5

/*
 * Readers go on while one writes. While several programs turn a new file to this mode at once, SQLite fails some of
 * them without waiting for the lock as it was told (busy, and once the log's files came or went, an input or output
 * error).
 */
static int use_wal(struct database *database, int64_t timeout_ms, struct error *err)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	int r;

	for (;;) {
		r = database_execute(database, "PRAGMA journal_mode = WAL", NULL, 0, err);
		if (r == 0 || error_errno(err) != -EAGAIN || clock_monotonic_ms() >= until_ms)
			return r;
		sqlite3_sleep(AGAIN_MS);
	}
}

/* PostgreSQL's, of bytes: where in `whole` the first `part` begins, from 1; 0: nowhere. */
static void position(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *whole = sqlite3_value_blob(values[0]);
	const char *part = sqlite3_value_blob(values[1]);
	const char *at = NULL;

	(void)count;
	if (whole && part)
		at =
		    memmem(whole, (size_t)sqlite3_value_bytes(values[0]), part, (size_t)sqlite3_value_bytes(values[1]));
	sqlite3_result_int64(context, at ? at - whole + 1 : 0);
}

static void wait_at_most(struct database *database, int64_t ms)
{
	sqlite3_busy_timeout(handle_of(database), ms > INT_MAX ? INT_MAX : (int)ms);
}

static void limit(struct database *database)
{
	wait_at_most(database, database->limit_ms);
}

static int set_up(struct database *database, int64_t limit_ms, struct error *err)
{
	struct error why = {0};

	wait_at_most(database, limit_ms);
	int r = use_wal(database, limit_ms, &why);
	if (r < 0 && err)
		*err = why;
	/* What was committed outlives the host's end. */
	if (r == 0)
		r = database_execute(database, "PRAGMA synchronous = FULL", NULL, 0, err);
	if (r == 0)
		r = database_execute(database, "PRAGMA foreign_keys = ON", NULL, 0, err);
	if (r == 0 && sqlite3_create_function(handle_of(database), "position", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
					      NULL, position, NULL, NULL) != SQLITE_OK)
		r = fail(handle_of(database), err);
	return r;
}

/* Faces are nobody else's business: SQLite would make the file readable for all, and gives those beside it the same
 * mode. What goes wrong here goes wrong again when it is opened. */
static void make_private_file(const char *path)
{
	int fd = path[0] == '\0' || strcmp(path, ":memory:") == 0
		     ? -1
		     : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

/* In a folder that is there: one that is not may yet be mounted. */
static bool is_missing(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (access(path, F_OK) == 0 || errno != ENOENT)
		return false;
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return access(folder, F_OK) == 0;
}

/* Opening does not make a store: the file would be ours, and whoever makes the tables could be another user. */
static int open_file(struct sqlite *s, const char *path, bool creates, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (creates ? SQLITE_OPEN_CREATE : 0);

	if (creates)
		make_private_file(path);
	else if (is_missing(path))
		return error_set(err, ERROR_CONFIG, "there is no such file: run `facefleet store migrate`");
	return sqlite3_open_v2(path, &s->handle, flags, NULL) == SQLITE_OK ? 0 : fail(s->handle, err);
}

static int open_database(struct database **out, const struct database_opening *opening, struct error *err)
{
	const char *path = opening->url + strlen(DATABASE_SQLITE_URL);
	struct sqlite *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, ERROR_INTERNAL, "no memory for a store");
	s->base.ops = &database_sqlite;
	int r = open_file(s, path, opening->creates, err);
	if (r == 0)
		r = set_up(&s->base, opening->limit_ms, err);
	if (r < 0) {
		error_prefix(err, "%.100s", path);
		close_database(&s->base);
		return r;
	}
	*out = &s->base;
	return 0;
}

const struct database_ops database_sqlite = {
    .open = open_database,
    .close = close_database,
    .begin = begin,
    .run = run,
    .insert = insert,
    .limit = limit,
    .lock_schema = lock_schema,
};
