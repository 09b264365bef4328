#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/queue.h"

/**
 * A fixed set of threads that take items from one bounded queue. Each thread makes its own
 * state first (buffers, network sessions), so nothing is shared on the hot path.
 */
struct pool;

/** What a pool's threads do. All functions run on the pool's threads. */
struct pool_ops {
	/** Makes one thread's state; `index` counts from 0. Returns 0 or a negative errno. May be NULL. */
	int (*enter)(void *arg, unsigned index, void **state);
	/** Handles one item. The item now belongs to this function. */
	void (*run)(void *arg, void *state, void *item);
	/** Finishes what run() has put off, when no item waits: before the thread waits for one, and before it ends.
	 * May be NULL. */
	void (*idle)(void *arg, void *state);
	/** Frees what enter() made. May be NULL. */
	void (*leave)(void *arg, void *state);
};

/**
 * Starts `threads` threads named `name`-N and waits until each has run enter(). If one fails,
 * the others are stopped and its error is returned: 0 or a negative errno. The queue stays the
 * caller's. Signals are blocked in the threads.
 */
int pool_start(struct pool **out, const char *name, unsigned threads, struct queue *queue, const struct pool_ops *ops,
	       void *arg) must_check;

/**
 * Graceful stop: closes the queue, lets the threads finish every item in it, joins them and
 * frees the pool. Blocks as long as the work takes; cancel the work's contexts to hurry it.
 * NULL is fine.
 */
void pool_stop(struct pool *pool);

#endif
