#ifndef BASE_TIMER_HEAP_H
#define BASE_TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/**
 * What is due next among many: a binary heap of timers by their time, the soonest first. A timer is part of what it is
 * for, so that the heap costs one pointer for each and allocates nothing else. Not for sharing between threads.
 */
struct timer {
	int64_t due_ms; /**< read only while it is in a heap; any clock, the same for all */
	size_t place;   /**< private; 0: in no heap */
};

/** Zero-initialise. */
struct timer_heap {
	struct timer **timers;
	size_t count;
	size_t capacity;
};

/** Puts a timer that is in no heap in. It is borrowed until it is taken out. 0 or -ENOMEM. */
int timer_heap_add(struct timer_heap *heap, struct timer *timer, int64_t due_ms) must_check;

/** Changes when a timer that is in the heap is due. */
void timer_heap_move(struct timer_heap *heap, struct timer *timer, int64_t due_ms);

/** Takes a timer out; one that is in no heap stays so. */
void timer_heap_remove(struct timer_heap *heap, struct timer *timer);

/** The timer that is due first, of several at the same time any; NULL when the heap is empty. It stays in. */
struct timer *timer_heap_first(const struct timer_heap *heap);

static inline bool timer_is_set(const struct timer *timer)
{
	return timer->place > 0;
}

/** Frees the heap's memory, not the timers, which are then in no heap. */
void timer_heap_finish(struct timer_heap *heap);

#endif
