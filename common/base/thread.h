#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#include "base/compiler.h"

/**
 * Starts a thread with every signal blocked, so that signals reach only the thread that waits
 * for them (see base/stop.h). Returns 0 or a negative errno.
 */
int thread_start(pthread_t *id, void *(*main)(void *), void *arg) must_check;

/** Names the calling thread as `top -H` and gdb show it; cut at 15 characters. */
void thread_set_name(const char *fmt, ...) printf_like(1, 2);

/** How many processors there are to compute on; at least 1. */
unsigned thread_processors(void);

#endif
