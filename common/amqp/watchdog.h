#ifndef AMQP_WATCHDOG_H
#define AMQP_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * Frees a thread that hangs in a read or write of the AMQP library: a small thread of its own
 * that shuts the socket down when one call has taken too long, so that the call fails.
 */
struct watchdog {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	int64_t limit_ms;
	int64_t busy_since_ms; /**< 0: the watched thread is not in a call */
	int fd;                /**< -1: no socket to shut down */
	bool stopping;
};

/** Starts watching: a call may take `limit_ms`. Returns 0 or a negative errno. */
int watchdog_start(struct watchdog *w, int64_t limit_ms) must_check;

/** Ends the thread. The watched thread is gone already. */
void watchdog_stop(struct watchdog *w);

/** Tells which socket the watched thread uses from now on; -1 before it is closed. */
void watchdog_guard(struct watchdog *w, int fd);

/** Before and after a call that may hang; every enter begins a new limit. */
void watchdog_enter(struct watchdog *w);
void watchdog_leave(struct watchdog *w);

/** Shuts the socket down now, whatever the limit. Any thread. */
void watchdog_cut(struct watchdog *w);

#endif
