#include "cli/input/row_csv.h"

#include <stdbool.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/input/csv_line.h"

struct row_csv {
	const struct row_form *form;
	bool begun; /* the first line was seen */
	bool has_header;
	unsigned columns;                 /* of the header, or those the form has */
	int meaning[CSV_LINE_MAX_FIELDS]; /* enum row_column of each column, -1: ignored */
	struct csv_line line;
};

struct row_csv *row_csv_new(const struct row_form *form)
{
	struct row_csv *csv = calloc(1, sizeof(*csv));

	if (!csv)
		return NULL;
	csv->form = form;
	csv->columns = form->positional_count;
	for (unsigned i = 0; i < csv->columns; i++)
		csv->meaning[i] = form->positional[i];
	return csv;
}

void row_csv_free(struct row_csv *csv)
{
	free(csv);
}

static int find_column(const struct row_csv *csv, const char *name)
{
	for (int column = 0; column < ROW_COLUMN_COUNT; column++)
		if (row_form_knows(csv->form, column) && strcasecmp(name, row_column_name(column)) == 0)
			return column;
	return -1;
}

static bool is_header(const struct row_csv *csv)
{
	for (unsigned i = 0; i < csv->line.count; i++)
		if (find_column(csv, csv->line.fields[i]) == (int)csv->form->marker)
			return true;
	return false;
}

static int read_header(struct row_csv *csv, struct error *err)
{
	bool seen[ROW_COLUMN_COUNT] = {false};

	csv->has_header = true;
	csv->columns = csv->line.count;
	for (unsigned i = 0; i < csv->columns; i++) {
		int column = find_column(csv, csv->line.fields[i]);
		csv->meaning[i] = column;
		if (column < 0)
			continue;
		if (seen[column])
			return error_set(err, ERROR_CONFIG, "the header names %s twice", row_column_name(column));
		seen[column] = true;
	}
	for (int column = 0; column < ROW_COLUMN_COUNT; column++)
		if (row_form_requires(csv->form, column) && !seen[column])
			return error_set(err, ERROR_CONFIG, "the header has no column %s", row_column_name(column));
	return 0;
}

int row_csv_read(struct row_csv *csv, const char *text, size_t length, struct row *row, struct error *err)
{
	bool first = !csv->begun;
	int r = csv_line_split(&csv->line, text, length, err);

	csv->begun = true;
	if (r < 0)
		return r;
	if (first && is_header(csv))
		return read_header(csv, err);
	if (csv->line.count > csv->columns)
		return error_set(err, ERROR_INVALID_JOB,
				 csv->has_header ? "%u columns where the header has %u (a comma needs quotes)"
						 : "%u columns where a row without header has at most %u",
				 csv->line.count, csv->columns);
	for (unsigned i = 0; i < csv->line.count; i++)
		if (csv->meaning[i] >= 0)
			row_set(row, csv->meaning[i], csv->line.fields[i]);
	return 1;
}
