#include "store/database.h"

#include <string.h>

#include "base/clock.h"
#include "obs/breakers.h"

struct database_value database_integer(int64_t value)
{
	return (struct database_value){.type = DATABASE_INTEGER, .integer = value};
}

struct database_value database_text(const char *text)
{
	return (struct database_value){.type = DATABASE_TEXT, .data = text, .size = text ? strlen(text) : 0};
}

struct database_value database_bytes(const void *data, size_t size)
{
	return (struct database_value){.type = DATABASE_BYTES, .data = data, .size = size};
}

/* --- the circuit breaker --- */

/* There is one store: so one name for all. */
#define BREAKER "store"

static int ask(struct breakers *breakers, unsigned *ticket, struct error *err)
{
	*ticket = breakers ? breakers_allow(breakers, NULL, BREAKER) : 0;
	if (!breakers || *ticket)
		return 0;
	return error_set(err, ERROR_STORE_UNAVAILABLE,
			 "the store failed again and again: it is not asked for a moment");
}

/* A store that refuses a statement answers; one that was too slow for a caller in a hurry may be well. */
static void judge(struct breakers *breakers, unsigned ticket, bool failed, bool in_a_hurry)
{
	if (failed && in_a_hurry)
		breakers_withdraw(breakers, BREAKER, ticket);
	else
		breakers_report(breakers, NULL, BREAKER, ticket, !failed);
}

static bool is_in_a_hurry(const struct database *database)
{
	return database->limit_ms < database->timeout_ms;
}

/* Passes `r` on. */
static int report(struct database *database, int r, const struct error *err)
{
	if (!database->breakers)
		return r;
	judge(database->breakers, database->ticket, r < 0 && err->code == ERROR_STORE_UNAVAILABLE,
	      is_in_a_hurry(database));
	database->ticket = 0;
	return r;
}

static struct error *error_for(struct database *database, struct error *err)
{
	return err ? err : &database->unasked;
}

/* For the steps of a transaction, which counts as a success only when it is through. */
static int report_failure(struct database *database, int r, const struct error *err)
{
	return r < 0 ? report(database, r, err) : r;
}

/* --- */

static int open_engine(struct database **out, const struct database_opening *opening, struct error *err)
{
	const char *url = opening->url;

	if (strncmp(url, DATABASE_SQLITE_URL, strlen(DATABASE_SQLITE_URL)) == 0)
		return database_sqlite.open(out, opening, err);
	if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
		return database_postgres.open(out, opening, err);
	return error_set(err, ERROR_CONFIG, "the store's URL begins with neither sqlite: nor postgresql://");
}

int database_open(struct database **out, const struct database_opening *opening, struct error *err)
{
	struct database_opening limited = *opening;
	struct error why = {0};
	unsigned ticket;
	int r = ask(opening->breakers, &ticket, err);

	if (r < 0)
		return r;
	if (limited.limit_ms == 0 || limited.limit_ms > limited.timeout_ms)
		limited.limit_ms = limited.timeout_ms;
	r = open_engine(out, &limited, &why);
	if (opening->breakers)
		judge(opening->breakers, ticket, r < 0 && why.code == ERROR_STORE_UNAVAILABLE,
		      limited.limit_ms < limited.timeout_ms);
	if (r < 0 && err)
		*err = why;
	if (r == 0) {
		(*out)->breakers = opening->breakers;
		(*out)->timeout_ms = opening->timeout_ms;
		(*out)->limit_ms = limited.limit_ms;
	}
	return r;
}

void database_limit(struct database *database, int64_t ms)
{
	int64_t limit_ms = ms < 1 ? 1 : ms;

	if (limit_ms > database->timeout_ms)
		limit_ms = database->timeout_ms;
	if (limit_ms == database->limit_ms)
		return;
	database->limit_ms = limit_ms;
	if (database->ops->limit)
		database->ops->limit(database);
}

void database_close(struct database *database)
{
	if (database)
		database->ops->close(database);
}

int database_begin(struct database *database, bool writes, struct error *err)
{
	int r = ask(database->breakers, &database->ticket, err);

	err = error_for(database, err);
	if (r == 0)
		r = report_failure(database, database->ops->begin(database, writes, err), err);
	database->begun = r == 0;
	return r;
}

int database_begin_bulk(struct database *database, struct error *err)
{
	int r = database_begin(database, false, err);

	return r < 0 || !database->ops->allow_bulk ? r : database->ops->allow_bulk(database, err);
}

int database_run(struct database *database, const struct database_statement *statement, struct error *err)
{
	err = error_for(database, err);
	return report_failure(database, database->ops->run(database, statement, err), err);
}

/* Passes rows on and remembers that there were any: what has seen some cannot be begun again. */
struct counter {
	const struct database_statement *statement;
	bool any;
};

static int pass_row(void *arg, const struct database_row *row, struct error *err)
{
	struct counter *counter = arg;

	counter->any = true;
	return counter->statement->fn(counter->statement->arg, row, err);
}

int database_read(struct database *database, const struct database_statement *statement, struct error *err)
{
	struct counter counter = {.statement = statement};
	struct database_statement counted = *statement;

	counted.fn = pass_row;
	counted.arg = &counter;
	int r = ask(database->breakers, &database->ticket, err);
	if (r < 0)
		return r;
	err = error_for(database, err);
	int64_t until_ms = clock_monotonic_ms() + database->limit_ms;
	r = database->ops->run(database, &counted, err);
	/* Whose time is over has no use for it: the next call makes the connection anew. */
	bool is_late = is_in_a_hurry(database) && clock_monotonic_ms() >= until_ms;
	if (r < 0 && !counter.any && !is_late && database->ops->recover && database->ops->recover(database, err))
		r = database->ops->run(database, &counted, err);
	return report(database, r, err);
}

int database_execute(struct database *database, const char *sql, const struct database_value *values, unsigned count,
		     struct error *err)
{
	return database_run(database, &(struct database_statement){.sql = sql, .values = values, .value_count = count},
			    err);
}

int database_insert(struct database *database, const struct database_rows *rows, struct error *err)
{
	err = error_for(database, err);
	return rows->count > 0 ? report_failure(database, database->ops->insert(database, rows, err), err) : 0;
}

int database_commit(struct database *database, struct error *err)
{
	const struct database_statement commit = {.sql = "COMMIT"};

	err = error_for(database, err);
	int r = report(database, database->ops->run(database, &commit, err), err);
	if (r == 0)
		database->begun = false;
	return r;
}

void database_rollback(struct database *database)
{
	const struct database_statement rollback = {.sql = "ROLLBACK"};
	struct error ignored;

	if (!database->begun)
		return;
	database->begun = false;
	(void)!database->ops->run(database, &rollback, &ignored);
	if (database->breakers)
		breakers_withdraw(database->breakers, BREAKER, database->ticket);
}

int database_write(struct database *database, const struct database_statement *statement, struct error *err)
{
	int r = database_begin(database, true, err);

	if (r == 0)
		r = database_run(database, statement, err);
	if (r == 0)
		r = database_commit(database, err);
	if (r < 0)
		database_rollback(database);
	return r;
}

bool database_row_is_null(const struct database_row *row, unsigned column)
{
	return row->ops->is_null(row, column);
}

int64_t database_row_integer(const struct database_row *row, unsigned column)
{
	return row->ops->integer(row, column);
}

const char *database_row_text(const struct database_row *row, unsigned column)
{
	return row->ops->text(row, column);
}

const void *database_row_bytes(const struct database_row *row, unsigned column, size_t *size)
{
	return row->ops->bytes(row, column, size);
}

int database_note_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	*(bool *)arg = true;
	return 0;
}

int database_note_integer(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	*(uint64_t *)arg = (uint64_t)database_row_integer(row, 0);
	return 0;
}
