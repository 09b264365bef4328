#ifndef CLI_ROW_CSV_H
#define CLI_ROW_CSV_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/input/row.h"

/**
 * Reads rows of CSV. Without a header the columns are the form's positional ones. A first line that names the
 * form's marker is a header: then columns may come in any order, and those the form does not know are ignored.
 */
struct row_csv;

struct row_csv *row_csv_new(const struct row_form *form) must_check;
void row_csv_free(struct row_csv *csv);

/**
 * Reads one line. Returns 1 with a row (good until the next call), 0 for the header, -EBADMSG with
 * `err` for a bad row, -ENOTRECOVERABLE with `err` for a header that lacks a column.
 */
int row_csv_read(struct row_csv *csv, const char *text, size_t length, struct row *row, struct error *err) must_check;

#endif
