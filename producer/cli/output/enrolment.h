#ifndef CLI_ENROLMENT_H
#define CLI_ENROLMENT_H

#include <stdio.h>

#include "cli/output/terminal.h"
#include "job/reply.h"

/** Prints a reply to an `enroll` for people, as one line: the image id and the face's score, or why it was refused,
 * with the measure. `name` is what the photograph was called. Words from outside are escaped. */
void enrolment_print(FILE *out, struct terminal terminal, const char *name, const struct reply *reply);

#endif
