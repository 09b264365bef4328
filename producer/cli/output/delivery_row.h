#ifndef CLI_DELIVERY_ROW_H
#define CLI_DELIVERY_ROW_H

#include <stdio.h>

#include <jansson.h>

#include "base/compiler.h"
#include "cli/output/terminal.h"
#include "job/delivery_report.h"

/** An attempt to deliver a callback as JSON. NULL when memory is out. */
json_t *delivery_row_json(const struct delivery_report *report) must_check;

/** The same as a line for people. Words are escaped. */
void delivery_row_text(const struct delivery_report *report, FILE *out, struct terminal terminal);

#endif
