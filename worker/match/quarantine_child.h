#ifndef MATCH_QUARANTINE_CHILD_H
#define MATCH_QUARANTINE_CHILD_H

#include <stdbool.h>

/*
 * The process that looks at a suspect job's photographs: the worker's own program, started with QUARANTINE_MODE and
 * detector folder, embedder folder, most bytes, pixels and side of a photograph. It limits itself, reads the models,
 * says QUARANTINE_READY, reads the request from standard input, writes what it found to standard output.
 */
#define QUARANTINE_MODE "--look-at-suspect"
#define QUARANTINE_ARGUMENTS 7 /* with the program's name */

/** True if the program was started as one. */
bool quarantine_is_child(int argc, char **argv);

/** The whole of it; returns the exit status. Before any thread starts. */
int quarantine_child(char **argv);

#endif
