#ifndef CLI_ENDPOINT_ROW_H
#define CLI_ENDPOINT_ROW_H

#include <stdio.h>

#include "base/compiler.h"
#include "cli/output/table.h"
#include "store/endpoints.h"

/** The columns of a table of callback endpoints. */
#define ENDPOINT_ROW_COLUMNS 5
extern const struct table_column endpoint_row_columns[ENDPOINT_ROW_COLUMNS];

/** Adds an endpoint to such a table: never its secrets. `now_ms` tells whether the old one still counts. */
void endpoint_row_add(struct table *table, const struct callback_endpoint *endpoint, int64_t now_ms);

/** The same as a line of JSON. 0 or -ENOMEM. */
int endpoint_row_json(const struct callback_endpoint *endpoint, int64_t now_ms, FILE *out) must_check;

#endif
