#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * The program's wish to end: SIGTERM and SIGINT, counted. A first signal asks for a graceful
 * stop, a second hurries. Global state, like hangup.h and the log level.
 */

/**
 * Installs handlers for SIGTERM and SIGINT and ignores SIGPIPE. Call once, in main(), before
 * any thread starts; signals kept by stop_hand_over() count then. Returns 0 or a negative errno.
 */
int stop_install(void) must_check;

/**
 * Keeps further signals for the program that this process executes next, whose stop_install() takes them. Call once, on
 * the main thread, when no thread of the program's is left.
 */
void stop_hand_over(void);

/** Signals received so far: 0 run, 1 stop, 2 or more hurry. Any thread. */
int stop_requested(void);

/** An eventfd that is readable once a stop was asked for: for poll loops. Never read it. */
int stop_fd(void);

/** Waits for a further signal beyond `seen` ones, at most `timeout_ms` (negative: for ever). Returns stop_requested().
 */
int stop_wait(int seen, int64_t timeout_ms);

#endif
