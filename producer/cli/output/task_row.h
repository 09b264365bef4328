#ifndef CLI_TASK_ROW_H
#define CLI_TASK_ROW_H

#include <stdio.h>

#include <jansson.h>

#include "base/compiler.h"
#include "cli/output/table.h"
#include "store/tasks.h"

/** The columns of a table of tasks. */
#define TASK_ROW_COLUMNS 10
extern const struct table_column task_row_columns[TASK_ROW_COLUMNS];

/** Adds a task to such a table. */
void task_row_add(struct table *table, const struct task_row *row);

/** A task as JSON, with its reply if the row has one. NULL when memory is out. */
json_t *task_row_json(const struct task_row *row) must_check;

/** What is known of a task, for people: a line for each fact that is, and what came of it. Words are escaped. */
void task_row_text(const struct task_row *row, FILE *out, struct terminal terminal);

/** A transition as JSON. NULL when memory is out. */
json_t *task_row_transition_json(const struct task_transition *transition) must_check;

/** The same as a line for people. */
void task_row_transition_text(const struct task_transition *transition, FILE *out, struct terminal terminal);

#endif
