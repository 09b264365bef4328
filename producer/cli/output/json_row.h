#ifndef CLI_JSON_ROW_H
#define CLI_JSON_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "base/compiler.h"

/* Pieces of the JSON that commands print. */

/** A string, or null for "" and what is not UTF-8. */
json_t *json_row_text(const char *text);

/** An RFC 3339 time, or null for 0. */
json_t *json_row_time(int64_t unix_ms);

/**
 * Prints an object and a line feed, and gives it up; in one line unless `pretty`. On a terminal all but ASCII is
 * spelled out; what goes to memory is for standard output. 0; or -ENOMEM, also for NULL.
 */
int json_row_print(json_t *object, bool pretty, FILE *out) must_check;

#endif
