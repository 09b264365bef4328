#ifndef CLI_ROW_JSON_H
#define CLI_ROW_JSON_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cli/input/row.h"

/**
 * Reads rows of JSONL: an object a line with the keys that the form knows, whose values are strings
 * (id and user_id may be whole numbers); null counts as absent, other keys are ignored.
 */
struct row_json;

struct row_json *row_json_new(const struct row_form *form) must_check;
void row_json_free(struct row_json *json);

/** Reads one line into a row that is good until the next call. 0, or -EBADMSG with `err`. */
int row_json_read(struct row_json *json, const char *text, size_t length, struct row *row,
		  struct error *err) must_check;

#endif
