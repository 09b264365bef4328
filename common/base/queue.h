#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * A bounded first-in-first-out queue of pointers for any number of producers and consumers, with
 * a fast lane for urgent items.
 * The queue never owns what it carries. All functions may be called from any thread, except
 * queue_free(), which wants every other user gone.
 */
struct queue;

/** Makes a queue that holds at most `capacity` (≥ 1) pointers. NULL when memory is out. */
struct queue *queue_new(size_t capacity) must_check;

/** Frees the queue (NULL is fine), not what is still in it: drain it with queue_pop() first. */
void queue_free(struct queue *q);

/**
 * Adds `item` (not NULL), waiting up to `timeout_ms` for room: 0 never waits, negative waits
 * until there is room or the queue is closed. Returns 0, -EAGAIN when still full, -ESHUTDOWN
 * when closed.
 */
int queue_push(struct queue *q, void *item, int64_t timeout_ms) must_check;

/** Like queue_push(), but the item is taken before every ordinary one, after earlier urgent ones. */
int queue_push_urgent(struct queue *q, void *item, int64_t timeout_ms) must_check;

/**
 * Takes the oldest urgent item, or else the oldest ordinary one, waiting up to `timeout_ms` as
 * queue_push() does. NULL on timeout, or when the queue is closed and empty: a closed queue still
 * gives out what it holds.
 */
void *queue_pop(struct queue *q, int64_t timeout_ms) must_check;

/** Refuses further pushes and wakes everyone who waits. May be called twice. */
void queue_close(struct queue *q);

/** Items in the queue at this moment. */
size_t queue_length(struct queue *q);

#endif
