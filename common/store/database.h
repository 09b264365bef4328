#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/*
 * What the store needs of a database: SQL that SQLite and PostgreSQL both understand, with parameters $1, $2, ...
 * Where bytes are in others is said by "position"(whole, part), quoted: without the quotes it is PostgreSQL's own
 * syntax. One connection, used by one thread at a time.
 */

struct breakers; /* obs/breakers.h */

struct database {
	const struct database_ops *ops;
	struct breakers *breakers; /**< NULL: none */
	int64_t timeout_ms;        /**< as it was opened */
	int64_t limit_ms;          /**< at most timeout_ms */
	unsigned ticket;           /**< of the breaker, until the outcome is reported; 0: it was */
	bool begun;                /**< a transaction, which has not ended */
	struct error unasked;      /**< why, for callers that do not ask: the breaker does */
};

/** A parameter. Make it with the functions below; text and bytes are borrowed. */
struct database_value {
	enum { DATABASE_INTEGER, DATABASE_TEXT, DATABASE_BYTES } type;
	int64_t integer;
	const void *data; /**< NULL: SQL's NULL */
	size_t size;
};

struct database_value database_integer(int64_t value);
struct database_value database_text(const char *text);
struct database_value database_bytes(const void *data, size_t size);

/** A row as it passes by. What the columns point to is gone when the function returns. */
struct database_row;

/** Called for each row; a negative return ends the statement and is returned by it. */
typedef int database_row_fn(void *arg, const struct database_row *row, struct error *err);

/** The most parameters a statement may have. */
#define DATABASE_MAX_VALUES 256

struct database_statement {
	const char *sql;
	const struct database_value *values;
	unsigned value_count;
	database_row_fn *fn; /**< NULL: rows are of no interest */
	void *arg;
};

/** Rows for one table. In SQL: `into` and what follows it, the values, `tail`, which has no parameters. */
struct database_rows {
	const char *into; /**< "INSERT INTO table (column, ...)" */
	const char *tail; /**< "ON CONFLICT ..." or "" */
	unsigned columns; /**< at most DATABASE_MAX_VALUES */
	unsigned count;
	const struct database_value *values; /**< row by row; a column has one type */
};

struct database_opening {
	const char *url;
	int64_t timeout_ms;
	int64_t limit_ms;          /**< as by database_limit() from the beginning; 0: none */
	struct breakers *breakers; /**< NULL: none */
	bool creates;              /**< a file that is not there is made; otherwise that is `config` */
};

struct database_ops {
	int (*open)(struct database **out, const struct database_opening *opening, struct error *err);
	void (*close)(struct database *database);
	/** Begins a transaction that writes, or one that sees one moment. Opens a lost connection again. */
	int (*begin)(struct database *database, bool writes, struct error *err);
	int (*run)(struct database *database, const struct database_statement *statement, struct error *err);
	int (*insert)(struct database *database, const struct database_rows *rows, struct error *err);
	/** What is run from now on waits for at most limit_ms. NULL: it looks there itself. */
	void (*limit)(struct database *database);
	/** Makes a connection that was lost anew; false: it was not, or cannot be made. NULL: it is never lost. */
	bool (*recover)(struct database *database, struct error *err);
	/** Lets the statements of a transaction take DATABASE_BULK times as long. NULL: they may anyway. */
	int (*allow_bulk)(struct database *database, struct error *err);
	/** Waits until no other program migrates; until the transaction's end. */
	int (*lock_schema)(struct database *database, struct error *err);
};

#define DATABASE_SQLITE_URL "sqlite:"
extern const struct database_ops database_sqlite;
extern const struct database_ops database_postgres;

/**
 * Opens "sqlite:PATH" or "postgresql://...". A URL of neither kind is `config`; a database that cannot be reached
 * `store_unavailable`, without its password. Everything that takes longer than `timeout_ms` fails likewise. With
 * breakers a database that keeps failing is not asked for a while: that is `store_unavailable` at once.
 */
int database_open(struct database **out, const struct database_opening *opening, struct error *err) must_check;

/** As store_limit(). */
void database_limit(struct database *database, int64_t ms);

/** NULL is fine. */
void database_close(struct database *database);

int database_begin(struct database *database, bool writes, struct error *err) must_check;

/** Begins one that reads much: its statements may take DATABASE_BULK times `timeout_ms`. */
int database_begin_bulk(struct database *database, struct error *err) must_check;
#define DATABASE_BULK 60

int database_commit(struct database *database, struct error *err) must_check;

/** Ends a transaction if one was begun. Never fails: without it the transaction ends with the connection. */
void database_rollback(struct database *database);

/** Runs one statement that reads, on its own: it sees one moment, and a lost connection is opened again for it. */
int database_read(struct database *database, const struct database_statement *statement, struct error *err) must_check;

/** Runs one statement that writes, in a transaction of its own: a lost connection is opened again for it. */
int database_write(struct database *database, const struct database_statement *statement, struct error *err) must_check;

/** Runs one statement. Inside a transaction an error leaves only database_rollback() to do. */
int database_run(struct database *database, const struct database_statement *statement, struct error *err) must_check;

/** Runs a statement with `count` parameters that gives no rows of interest. */
int database_execute(struct database *database, const char *sql, const struct database_value *values, unsigned count,
		     struct error *err) must_check;

/** Inserts many rows at the price of few statements. As database_run() about errors; no rows are no statement. */
int database_insert(struct database *database, const struct database_rows *rows, struct error *err) must_check;

/* Columns of a row, from 0. NULL is 0, "" or no bytes. */
int64_t database_row_integer(const struct database_row *row, unsigned column);
const char *database_row_text(const struct database_row *row, unsigned column);
const void *database_row_bytes(const struct database_row *row, unsigned column, size_t *size);
bool database_row_is_null(const struct database_row *row, unsigned column);

/** Two of what may be called for a row: `arg` is a bool, true once there was one; or a uint64_t, its first column. */
database_row_fn database_note_row;
database_row_fn database_note_integer;

/** For the backends: how a row is read. */
struct database_row {
	const struct database_row_ops {
		bool (*is_null)(const struct database_row *row, unsigned column);
		int64_t (*integer)(const struct database_row *row, unsigned column);
		const char *(*text)(const struct database_row *row, unsigned column);
		const void *(*bytes)(const struct database_row *row, unsigned column, size_t *size);
	} * ops;
	void *handle;
};

#endif
