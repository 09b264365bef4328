#include "base/timer_heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

/* Places count from 1: the children of place n are at 2n and 2n + 1. */
static void put(struct timer_heap *heap, struct timer *timer, size_t place)
{
	heap->timers[place - 1] = timer;
	timer->place = place;
}

static void rise(struct timer_heap *heap, struct timer *timer)
{
	size_t place = timer->place;

	for (; place > 1 && timer->due_ms < heap->timers[place / 2 - 1]->due_ms; place /= 2)
		put(heap, heap->timers[place / 2 - 1], place);
	put(heap, timer, place);
}

static void sink(struct timer_heap *heap, struct timer *timer)
{
	size_t place = timer->place;
	size_t child;

	while ((child = 2 * place) <= heap->count) {
		if (child < heap->count && heap->timers[child]->due_ms < heap->timers[child - 1]->due_ms)
			child++;
		if (timer->due_ms <= heap->timers[child - 1]->due_ms)
			break;
		put(heap, heap->timers[child - 1], place);
		place = child;
	}
	put(heap, timer, place);
}

static int grow(struct timer_heap *heap)
{
	size_t capacity = heap->capacity ? 2 * heap->capacity : FIRST_CAPACITY;
	struct timer **timers = reallocarray(heap->timers, capacity, sizeof(struct timer *));

	if (!timers)
		return -ENOMEM;
	heap->timers = timers;
	heap->capacity = capacity;
	return 0;
}

int timer_heap_add(struct timer_heap *heap, struct timer *timer, int64_t due_ms)
{
	assert(timer->place == 0);
	if (heap->count == heap->capacity && grow(heap) < 0)
		return -ENOMEM;
	timer->due_ms = due_ms;
	put(heap, timer, ++heap->count);
	rise(heap, timer);
	return 0;
}

void timer_heap_move(struct timer_heap *heap, struct timer *timer, int64_t due_ms)
{
	assert(timer->place > 0);
	timer->due_ms = due_ms;
	rise(heap, timer);
	sink(heap, timer);
}

void timer_heap_remove(struct timer_heap *heap, struct timer *timer)
{
	size_t place = timer->place;

	if (place == 0)
		return;
	struct timer *last = heap->timers[--heap->count];
	timer->place = 0;
	if (last == timer)
		return;
	put(heap, last, place);
	rise(heap, last);
	sink(heap, last);
}

struct timer *timer_heap_first(const struct timer_heap *heap)
{
	return heap->count > 0 ? heap->timers[0] : NULL;
}

void timer_heap_finish(struct timer_heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		heap->timers[i]->place = 0;
	free(heap->timers);
	*heap = (struct timer_heap){0};
}
