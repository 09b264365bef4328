#ifndef CLI_SETTING_ROW_H
#define CLI_SETTING_ROW_H

#include <stdio.h>

#include "base/compiler.h"
#include "cli/output/table.h"
#include "store/central.h"

/** The columns of a table of settings that the fleet shares, and of one of their changes. */
#define SETTING_ROW_COLUMNS 4
#define SETTING_ROW_CHANGE_COLUMNS 7
extern const struct table_column setting_row_columns[SETTING_ROW_COLUMNS];
extern const struct table_column setting_row_change_columns[SETTING_ROW_CHANGE_COLUMNS];

/** Adds a setting, or a change, to such a table. */
void setting_row_add(struct table *table, const struct central_setting *setting);
void setting_row_add_change(struct table *table, const struct central_change *change);

/** The same as a line of JSON. 0 or -ENOMEM. */
int setting_row_json(const struct central_setting *setting, FILE *out) must_check;
int setting_row_change_json(const struct central_change *change, FILE *out) must_check;

#endif
