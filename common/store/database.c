#include "store/database.h"

#include <string.h>

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

int database_open(struct database **out, const char *url, int64_t timeout_ms, struct error *err)
{
	if (strncmp(url, "sqlite:", 7) == 0)
		return database_sqlite.open(out, url + 7, timeout_ms, err);
	if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
		return database_postgres.open(out, url, timeout_ms, err);
	return error_set(err, ERROR_CONFIG, "the store's URL begins with neither sqlite: nor postgresql://");
}

void database_close(struct database *database)
{
	if (database)
		database->ops->close(database);
}

int database_begin(struct database *database, bool writes, struct error *err)
{
	return database->ops->begin(database, writes, err);
}

int database_begin_bulk(struct database *database, struct error *err)
{
	int r = database_begin(database, false, err);

	return r < 0 || !database->ops->allow_bulk ? r : database->ops->allow_bulk(database, err);
}

int database_run(struct database *database, const struct database_statement *statement, struct error *err)
{
	return database->ops->run(database, statement, err);
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
	int r = database_run(database, &counted, err);
	if (r < 0 && !counter.any && database->ops->recover && database->ops->recover(database, err))
		r = database_run(database, &counted, err);
	return r;
}

int database_execute(struct database *database, const char *sql, const struct database_value *values, unsigned count,
		     struct error *err)
{
	return database_run(database, &(struct database_statement){.sql = sql, .values = values, .value_count = count},
			    err);
}

int database_insert(struct database *database, const struct database_rows *rows, struct error *err)
{
	return rows->count > 0 ? database->ops->insert(database, rows, err) : 0;
}

int database_commit(struct database *database, struct error *err)
{
	return database_execute(database, "COMMIT", NULL, 0, err);
}

void database_rollback(struct database *database)
{
	struct error ignored;

	(void)!database_execute(database, "ROLLBACK", NULL, 0, &ignored);
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
