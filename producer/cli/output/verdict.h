#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include <stdio.h>

#include "cli/output/exit_status.h"
#include "cli/output/terminal.h"
#include "job/reply.h"

/**
 * Prints a reply to a `match` or `verify` for people: verdict or error, similarity and threshold, the face of
 * each photograph, timings, who did it. Words of the reply are escaped.
 */
void verdict_print(FILE *out, struct terminal terminal, const struct reply *reply);

/** Prints why a task failed, and who says so; the half of verdict_print() for every kind of task. */
void verdict_print_failure(FILE *out, struct terminal terminal, const struct reply *reply);

/** What the command exits with: the same person, another, or a task that failed. */
enum exit_status verdict_status(const struct reply *reply);

#endif
