#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include <stdio.h>

#include "cli/terminal.h"
#include "job/reply.h"

/**
 * Prints a reply to a `match` for people: verdict or error, similarity and threshold, the face of
 * each photograph, timings, who did it. Words of the reply are escaped.
 */
void verdict_print(FILE *out, struct terminal terminal, const struct reply *reply);

#endif
