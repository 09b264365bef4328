#ifndef MATCH_VIGIL_H
#define MATCH_VIGIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * Whether the worker's own threads go on: the main one turns, and no compute thread is at one thing for longer than
 * anything may take. A worker that hangs is so not healthy, and is started again: its jobs go to others, and one that
 * hung every worker that took it is looked at as a suspect. Without a clock of its own: all times are monotonic. Any
 * thread.
 */
struct vigil;

/** Between two turns of the main thread, which loads models that are to be tried. */
#define VIGIL_TURN_MS 60000
/** For one task: far more than a store and a suspect's process may take, far less than the broker's consumer_timeout.
 */
#define VIGIL_TASK_MS 600000

/** For `threads` compute threads. NULL when memory is out. */
struct vigil *vigil_new(unsigned threads, int64_t now_ms) must_check;
void vigil_free(struct vigil *vigil);

/** The main thread has turned. */
void vigil_turn(struct vigil *vigil, int64_t now_ms);

/** A compute thread, counted from 0, begins something or is through with it. */
void vigil_begin(struct vigil *vigil, unsigned thread, int64_t now_ms);
void vigil_end(struct vigil *vigil, unsigned thread);

/** False: `why` says which of them hangs. */
bool vigil_holds(struct vigil *vigil, int64_t now_ms, char *why, size_t why_size);

#endif
