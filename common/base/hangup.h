#ifndef BASE_HANGUP_H
#define BASE_HANGUP_H

#include <stdbool.h>

#include "base/compiler.h"

/* SIGHUP, which asks a long-running program to read its settings again. */

/** Installs the handler. Call once, in main(), before any thread starts. Returns 0 or a negative errno. */
int hangup_install(void) must_check;

/** Ignores the signal from now on, also in the program that this process executes next, until that installs its
 * handler: it reads its settings anyway, and must not die of the signal before. */
void hangup_ignore(void);

/** True if the signal came since the last call. Any thread. */
bool hangup_take(void);

#endif
