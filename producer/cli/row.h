#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** One row of an input file. Absent strings are "". */
struct row {
	uint64_t line; /**< in the file, from 1 */
	const char *id;
	const char *image_a; /**< path or URL */
	const char *image_b;
	const char *user_id;
	const char *callback;
	const char *scene;
};

/** The named values of a row, in one place for CSV headers and JSON keys. */
enum row_column { ROW_ID, ROW_IMAGE_A, ROW_IMAGE_B, ROW_USER_ID, ROW_CALLBACK, ROW_SCENE, ROW_COLUMN_COUNT };

/** "image_a". Static storage. */
const char *row_column_name(enum row_column column);

/** Points the row's value of `column` to `value`. */
void row_set(struct row *row, enum row_column column, const char *value);

/** A row of line `line` with nothing in it. */
void row_init(struct row *row, uint64_t line);

/** Checks that id and both images are there and the id is short text without control characters. 0, or -EBADMSG with
 * `err`. */
int row_check(const struct row *row, struct error *err) must_check;

#endif
