#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include <stdbool.h>

#include "base/compiler.h"

/**
 * Asks a question on standard error, and waits for the answer on standard input: true for "y" and "yes". False for
 * anything else, and when a signal asks to stop.
 */
bool confirm(const char *fmt, ...) must_check printf_like(1, 2);

#endif
