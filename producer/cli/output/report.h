#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/compiler.h"
#include "base/error.h"
#include "cli/output/exit_status.h"

/*
 * What the program says to the person at the shell, on standard error, each a line of its own.
 * Whatever is formatted in (file names, words of a reply) is escaped and cut, see cli/escape.h.
 */

/** "facefleet: …", for what ends the command. */
void report_error(const char *fmt, ...) printf_like(1, 2);

/** The same for an error; returns what to exit with. */
enum exit_status report_failure(const struct error *err);

/** The sentence alone, for what does not. */
void report_note(const char *fmt, ...) printf_like(1, 2);

#endif
