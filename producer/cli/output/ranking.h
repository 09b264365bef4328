#ifndef CLI_RANKING_H
#define CLI_RANKING_H

#include <stdio.h>

#include "cli/output/exit_status.h"
#include "cli/output/terminal.h"
#include "job/reply.h"

/** Prints a reply to a `search` for people: a table of who it may be, or that it is nobody; or the error. Words of the
 * reply are escaped. */
void ranking_print(FILE *out, struct terminal terminal, const struct reply *reply);

/** What `search` exits with: somebody, nobody, or a task that failed. */
enum exit_status ranking_status(const struct reply *reply);

#endif
