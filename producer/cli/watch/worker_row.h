#ifndef CLI_WORKER_ROW_H
#define CLI_WORKER_ROW_H

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "cli/output/terminal.h"
#include "cli/watch/muster.h"

/** The workers as a table. 0 or -ENOMEM. */
int worker_rows_text(const struct muster_member *members, size_t count, FILE *out, struct terminal terminal) must_check;

/** One worker as a line of JSON. 0 or -ENOMEM. */
int worker_row_json(const struct muster_member *member, FILE *out) must_check;

#endif
