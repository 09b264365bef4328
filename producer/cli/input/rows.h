#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/input/row.h"

/**
 * Streams the rows of a CSV or JSONL input, whichever it is: the first line that is not blank
 * begins with `{` or not. Blank lines and a byte order mark are skipped. Or those of a folder, if the form knows
 * folders. Constant memory. One thread.
 */
struct rows;

enum rows_status {
	ROWS_ROW,
	ROWS_BAD, /**< this row cannot be used: row->line and `err` say which and why; go on */
	ROWS_END,
	ROWS_STOPPED, /**< wake_fd became readable */
	ROWS_FAILED   /**< the input cannot be read on: `err` */
};

/** Neither descriptor is owned; `wake_fd` (may be -1) ends a wait for input. NULL when memory is out. */
struct rows *rows_new(int fd, int wake_fd, const struct row_form *form) must_check;
void rows_free(struct rows *rows);

/** The next row; its strings are good until the next call. May block. */
enum rows_status rows_next(struct rows *rows, struct row *row, struct error *err);

/** Bytes of input up to the end of the last row; 0 for a folder. */
uint64_t rows_offset(const struct rows *rows);

#endif
