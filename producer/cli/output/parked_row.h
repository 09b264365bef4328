#ifndef CLI_PARKED_ROW_H
#define CLI_PARKED_ROW_H

#include <stdio.h>

#include "amqp/message.h"
#include "base/compiler.h"
#include "cli/output/table.h"

/** The columns of a table of parked messages. */
#define PARKED_ROW_COLUMNS 8
extern const struct table_column parked_row_columns[PARKED_ROW_COLUMNS];

/** Adds a parked message to such a table. */
void parked_row_add(struct table *table, const struct amqp_delivery *parked);

/** The same as a line of JSON. 0 or -ENOMEM. */
int parked_row_json(const struct amqp_delivery *parked, FILE *out) must_check;

/**
 * All there is to say about a parked message, as JSON over several lines: its properties and headers, and its body with
 * the size of each photograph in its place; what cannot be read is null, with the reason. 0 or -ENOMEM.
 */
int parked_row_show(const struct amqp_delivery *parked, FILE *out) must_check;

/** Says on standard output under which id a message was sent again. */
void parked_row_replayed(const char *old_id, const char *id);

#endif
