#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "cli/output/terminal.h"

/** A column of a table. */
struct table_column {
	const char *head;
	bool right;    /**< numbers */
	unsigned most; /**< characters that are waited for by the columns behind; 0: as many as there are */
};

/**
 * Rows for people, whose columns are as wide as what stands in them. Cells are added from left to right, row after row;
 * what they say is escaped. All rows are in memory: bound them.
 */
struct table {
	const struct table_column *columns;
	unsigned column_count;
	char **cells;
	size_t cell_count;
	size_t capacity;
	bool failed; /**< memory was out; table_print() says so */
};

/** Begins a table; the columns are borrowed. */
void table_init(struct table *t, const struct table_column *columns, unsigned count);

/** Adds a cell. */
void table_add(struct table *t, const char *fmt, ...) printf_like(2, 3);

/** A cell that says `text`, or "-" for "". */
void table_add_text(struct table *t, const char *text);

/** A cell with a time, to the second, or "-" for 0. */
void table_add_time(struct table *t, int64_t unix_ms);

/** Whole rows so far. */
size_t table_rows(const struct table *t);

/** Prints head and rows. 0 or -ENOMEM. */
int table_print(const struct table *t, FILE *out, struct terminal terminal) must_check;

/** Frees the cells. */
void table_finish(struct table *t);

/** Characters of a text, which for most are columns. */
unsigned table_width(const char *text);

#endif
