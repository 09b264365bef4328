#ifndef CLI_KEY_ROW_H
#define CLI_KEY_ROW_H

#include <stdio.h>

#include "base/compiler.h"
#include "cli/output/table.h"
#include "store/keys.h"

/** The columns of a table of API keys. */
#define KEY_ROW_COLUMNS 8
extern const struct table_column key_row_columns[KEY_ROW_COLUMNS];

/** Adds a key to such a table. */
void key_row_add(struct table *table, const struct api_key *key);

/** The same as a line of JSON. 0 or -ENOMEM. */
int key_row_json(const struct api_key *key, FILE *out) must_check;

#endif
