#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "base/compiler.h"

/*
 * What the program says to the person at the shell, on standard error, each a line of its own.
 * Whatever is formatted in (file names, words of a reply) is escaped and cut, see cli/escape.h.
 */

/** "facefleet: …", for what ends the command. */
void report_error(const char *fmt, ...) printf_like(1, 2);

/** The sentence alone, for what does not. */
void report_note(const char *fmt, ...) printf_like(1, 2);

#endif
