#include "cli/input/csv_line.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct split {
	struct csv_line *line;
	unsigned rows;
	bool too_many;
};

static void on_field(void *bytes, size_t size, void *arg)
{
	struct split *split = arg;
	struct csv_line *line = split->line;

	if (line->count == CSV_LINE_MAX_FIELDS || size >= sizeof(line->store) - line->used) {
		split->too_many = true;
		return;
	}
	char *field = line->store + line->used;
	if (size > 0)
		memcpy(field, bytes, size);
	field[size] = '\0';
	line->used += size + 1;
	line->fields[line->count++] = field;
}

static void on_row(int end, void *arg)
{
	struct split *split = arg;

	(void)end;
	split->rows++;
}

int csv_line_split(struct csv_line *out, const char *text, size_t length, struct error *err)
{
	struct split split = {.line = out};
	struct csv_parser parser;

	out->count = 0;
	out->used = 0;
	if (memchr(text, '\0', length))
		return error_set(err, ERROR_INVALID_JOB, "a zero byte in the line");
	if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return error_set(err, ERROR_INTERNAL, "the CSV parser does not start");
	bool parsed = csv_parse(&parser, text, length, on_field, on_row, &split) == length &&
		      csv_fini(&parser, on_field, on_row, &split) == 0;
	int fault = csv_error(&parser);
	csv_free(&parser);
	if (!parsed && fault == CSV_ENOMEM)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	if (!parsed)
		return error_set(err, ERROR_INVALID_JOB,
				 "misplaced quote: a field with quotes or commas is quoted whole, with \"\" for "
				 "each quote in it, and ends on its line");
	if (split.rows > 1)
		return error_set(err, ERROR_INVALID_JOB, "a carriage return in the middle of the line");
	if (split.too_many)
		return error_set(err, ERROR_INVALID_JOB, "more than %d columns", CSV_LINE_MAX_FIELDS);
	return 0;
}

int csv_line_append(struct buffer *out, const char *field, bool first)
{
	size_t length = strlen(field);
	int r = first ? 0 : buffer_append(out, ",", 1);

	if (r < 0)
		return r;
	/* Quoted only where a reader would misread it: separators, quotes, line ends, blanks at the edge. */
	bool edge = length > 0 && (strchr(" \t", field[0]) || strchr(" \t", field[length - 1]));
	if (!edge && !field[strcspn(field, ",\"\r\n")])
		return buffer_append(out, field, length);
	size_t quoted = csv_write(NULL, 0, field, length);
	r = buffer_reserve(out, quoted);
	if (r < 0)
		return r;
	csv_write(out->data + out->size, quoted, field, length);
	out->size += quoted;
	return 0;
}
