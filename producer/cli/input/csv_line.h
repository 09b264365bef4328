#ifndef CLI_CSV_LINE_H
#define CLI_CSV_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "cli/input/lines.h"

#define CSV_LINE_MAX_FIELDS 64

/** The fields of one line of CSV (RFC 4180, but a quoted field ends on its line). About 64 KiB: not for the stack. */
struct csv_line {
	unsigned count;
	const char *fields[CSV_LINE_MAX_FIELDS]; /**< unquoted; blanks around unquoted fields are gone */
	size_t used;
	char store[LINES_MAX + CSV_LINE_MAX_FIELDS];
};

/** Splits a line as lines_next() gives it. 0, or -EBADMSG with `err` (invalid_job). */
int csv_line_split(struct csv_line *out, const char *text, size_t length, struct error *err) must_check;

/** Appends one field to a line that is being written, quoted where it must be; `first` puts no comma before it. Returns
 * as buffer_append(). */
int csv_line_append(struct buffer *out, const char *field, bool first) must_check;

#endif
