#ifndef CLI_SCHEDULE_ROW_H
#define CLI_SCHEDULE_ROW_H

#include <stdio.h>

#include "base/compiler.h"
#include "store/schedules.h"

/** The line above the lines for people. */
void schedule_row_head(FILE *out);

/** A schedule as a line for people. */
void schedule_row_text(const struct schedule *schedule, FILE *out);

/** The same as a line of JSON. 0 or -ENOMEM. */
int schedule_row_json(const struct schedule *schedule, FILE *out) must_check;

#endif
