#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"

/** One row of an input: a job to be. Absent strings are "". */
struct row {
	uint64_t line; /**< in the file, from 1; 0: the input has no lines */
	const char *id;
	const char *image_a; /**< path or URL */
	const char *image_b;
	const char *user_id;
	const char *collection;
	const char *callback;
	const char *scene;
	int folder_fd; /**< -1, or the folder where the last part of image_a is, and no link leads elsewhere */
};

/** The named values of a row, in one place for CSV headers and JSON keys. ROW_IMAGE is the image_a of a job with one.
 */
enum row_column {
	ROW_ID,
	ROW_IMAGE_A,
	ROW_IMAGE_B,
	ROW_IMAGE,
	ROW_USER_ID,
	ROW_COLLECTION,
	ROW_CALLBACK,
	ROW_SCENE,
	ROW_COLUMN_COUNT
};

/** What the rows of an input hold, for one kind of job. */
struct row_form {
	const enum row_column *positional; /**< the columns of CSV without a header, in order */
	unsigned positional_count;
	unsigned known;         /**< bits of enum row_column: what has a meaning */
	unsigned required;      /**< bits: what every row must have */
	enum row_column marker; /**< a first line of CSV that names it is a header */
	bool id_from_values;    /**< a row without an id is named after its values */
	bool folders;           /**< the input may be a folder of people (folder.h) */
};

/** That of JOB_MATCH or JOB_ENROLL. Static storage. */
const struct row_form *row_form_of(enum job_op op);

/** True if the form has a use for `column`, or must have it. */
bool row_form_knows(const struct row_form *form, enum row_column column);
bool row_form_requires(const struct row_form *form, enum row_column column);

/** "image_a". Static storage. */
const char *row_column_name(enum row_column column);

/** Points the row's value of `column` to `value`. */
void row_set(struct row *row, enum row_column column, const char *value);

/** A row of line `line` with nothing in it. */
void row_init(struct row *row, uint64_t line);

/** Room for a name that a row gets: one byte more than an id may have, so that a longer one is found out. */
#define ROW_NAME_SIZE (JOB_MAX_REFERENCE_BYTES + 2)

/** Gives a row without an id the name "USER IMAGE[ COLLECTION]", in `name`, if its form says so. */
void row_name(struct row *row, const struct row_form *form, char name[ROW_NAME_SIZE]);

/** Checks that the id and what the form requires are there and the id is short text without control characters. 0, or
 * -EBADMSG with `err`. */
int row_check(const struct row *row, const struct row_form *form, struct error *err) must_check;

#endif
