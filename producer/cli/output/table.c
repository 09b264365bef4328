#include "cli/output/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/output/escape.h"

unsigned table_width(const char *text)
{
	size_t left = strlen(text);
	unsigned width = 0;

	for (size_t length; left > 0; text += length, left -= length, width++) {
		length = utf8_decode(text, left, NULL);
		if (length == 0)
			length = 1;
	}
	return width;
}

void table_init(struct table *t, const struct table_column *columns, unsigned count)
{
	*t = (struct table){.columns = columns, .column_count = count};
}

static int make_room(struct table *t)
{
	size_t capacity = t->capacity ? 2 * t->capacity : 64;

	if (t->cell_count < t->capacity)
		return 0;
	char **cells = realloc(t->cells, capacity * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->capacity = capacity;
	return 0;
}

void table_add(struct table *t, const char *fmt, ...)
{
	char text[ESCAPE_SIZE];
	char shown[ESCAPE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	char *cell = strdup(escape_text(text, shown, sizeof(shown)));
	if (!cell || make_room(t) < 0) {
		free(cell);
		t->failed = true;
		return;
	}
	t->cells[t->cell_count++] = cell;
}

void table_add_text(struct table *t, const char *text)
{
	table_add(t, "%s", text[0] ? text : "-");
}

void table_add_time(struct table *t, int64_t unix_ms)
{
	char text[CLOCK_RFC3339_SIZE] = "-";

	if (unix_ms != 0)
		clock_format_rfc3339(unix_ms, text);
	char *fraction = strchr(text, '.');
	if (fraction)
		strcpy(fraction, "Z");
	table_add(t, "%s", text);
}

size_t table_rows(const struct table *t)
{
	return t->cell_count / t->column_count;
}

static unsigned column_width(const struct table *t, unsigned column)
{
	const struct table_column *c = &t->columns[column];
	unsigned widest = table_width(c->head);

	for (size_t i = column; i < t->cell_count; i += t->column_count) {
		unsigned width = table_width(t->cells[i]);
		if (width > widest && (c->most == 0 || width <= c->most))
			widest = width;
	}
	return widest;
}

/* Nothing stands behind the last column, so nothing is filled up there. */
static void print_cell(const struct table *t, FILE *out, unsigned column, unsigned width, const char *text)
{
	unsigned length = table_width(text);
	int gap = length < width ? (int)(width - length) : 0;
	bool last = column + 1 == t->column_count;

	if (t->columns[column].right)
		fprintf(out, "%*s%s%s", gap, "", text, last ? "" : "  ");
	else
		fprintf(out, "%s%*s%s", text, last ? 0 : gap, "", last ? "" : "  ");
}

int table_print(const struct table *t, FILE *out, struct terminal terminal)
{
	unsigned *widths = calloc(t->column_count, sizeof(*widths));

	if (!widths || t->failed) {
		free(widths);
		return -ENOMEM;
	}
	fputs(terminal_dim(terminal), out);
	for (unsigned i = 0; i < t->column_count; i++) {
		widths[i] = column_width(t, i);
		print_cell(t, out, i, widths[i], t->columns[i].head);
	}
	fprintf(out, "%s\n", terminal_plain(terminal));
	for (size_t i = 0; i < t->cell_count; i++) {
		unsigned column = (unsigned)(i % t->column_count);
		print_cell(t, out, column, widths[column], t->cells[i]);
		if (column + 1 == t->column_count)
			putc('\n', out);
	}
	free(widths);
	return 0;
}

void table_finish(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
