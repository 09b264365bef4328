/* Attempts to deliver callbacks. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "obs/log.h"
#include "store/tasks_private.h"

#define COLUMNS "task_id, said, attempt, outcome, origin, http_status, error_text, duration_us, next_attempt"

enum column { TASK_ID, SAID, ATTEMPT, OUTCOME, ORIGIN, HTTP_STATUS, ERROR_TEXT, DURATION, NEXT_ATTEMPT, RECORDED };
#define COLUMN_COUNT (RECORDED + 1)

static void fill_row(struct database_value row[COLUMN_COUNT], const struct delivery_report *report, int64_t now_ms)
{
	row[TASK_ID] = database_text(report->task_id);
	row[SAID] = database_integer(report->at_ms);
	row[ATTEMPT] = database_integer(report->attempt);
	row[OUTCOME] = database_text(delivery_outcome_name(report->outcome));
	row[ORIGIN] = database_text(report->origin);
	row[HTTP_STATUS] = database_integer(report->http_status);
	row[ERROR_TEXT] = database_text(report->error);
	row[DURATION] = database_integer(report->duration_us);
	row[NEXT_ATTEMPT] = database_integer(report->next_attempt_at_ms);
	row[RECORDED] = database_integer(now_ms);
}

int tasks_put_deliveries(struct store *store, const struct tasks_news *news, struct error *err)
{
	unsigned count = news->delivery_count;
	int64_t now_ms = clock_unix_ms();
	struct database_value *values;

	if (count == 0)
		return 0;
	values = calloc(count, COLUMN_COUNT * sizeof(*values));
	if (!values)
		return error_set(err, ERROR_INTERNAL, "no memory for %u deliveries", count);
	for (unsigned i = 0; i < count; i++)
		fill_row(values + (size_t)COLUMN_COUNT * i, news->deliveries[i], now_ms);
	int r = database_insert(store->database,
				&(struct database_rows){.into = "INSERT INTO task_deliveries (" COLUMNS ", recorded)",
							.tail = "ON CONFLICT DO NOTHING",
							.columns = COLUMN_COUNT,
							.count = count,
							.values = values},
				err);
	free(values);
	return r;
}

struct reader {
	task_delivery_fn *fn;
	void *arg;
};

static int pass_delivery(void *arg, const struct database_row *row, struct error *err)
{
	const struct reader *reader = arg;
	struct delivery_report report = {
	    .at_ms = database_row_integer(row, SAID),
	    .attempt = (int)database_row_integer(row, ATTEMPT),
	    .http_status = (int)database_row_integer(row, HTTP_STATUS),
	    .duration_us = database_row_integer(row, DURATION),
	    .next_attempt_at_ms = database_row_integer(row, NEXT_ATTEMPT),
	};
	const char *outcome = database_row_text(row, OUTCOME);

	if (delivery_outcome_from_name(outcome, &report.outcome) < 0) {
		log_error(NULL, "a stored delivery has an outcome that is none and is left out",
			  log_string("outcome", outcome));
		return 0;
	}
	snprintf(report.task_id, sizeof(report.task_id), "%s", database_row_text(row, TASK_ID));
	snprintf(report.origin, sizeof(report.origin), "%s", database_row_text(row, ORIGIN));
	snprintf(report.error, sizeof(report.error), "%s", database_row_text(row, ERROR_TEXT));
	return reader->fn(reader->arg, &report, err);
}

int tasks_deliveries(struct store *store, const char *task_id, task_delivery_fn *fn, void *arg, struct error *err)
{
	const struct database_value values[] = {database_text(task_id), database_integer(TASKS_MAX_DELIVERIES)};
	struct reader reader = {fn, arg};

	return database_read(store->database,
			     &(struct database_statement){.sql =
							      "SELECT " COLUMNS " FROM (SELECT " COLUMNS
							      " FROM task_deliveries WHERE task_id = $1"
							      " ORDER BY said DESC, attempt DESC LIMIT $2) AS last_ones"
							      " ORDER BY said, attempt",
							  .values = values,
							  .value_count = array_size(values),
							  .fn = pass_delivery,
							  .arg = &reader},
			     err);
}
