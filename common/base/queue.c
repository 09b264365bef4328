#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

/* One lane: a ring of the queue's capacity. */
struct ring {
	void **items;
	size_t head; /* index of the oldest item */
	size_t length;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	size_t capacity; /* of both lanes together */
	struct ring urgent;
	struct ring ordinary;
	bool closed;
	void *items[]; /* the memory of both rings */
};

static size_t length_of(const struct queue *q)
{
	return q->urgent.length + q->ordinary.length;
}

static void ring_put(struct ring *ring, size_t capacity, void *item)
{
	ring->items[(ring->head + ring->length) % capacity] = item;
	ring->length++;
}

static void *ring_take(struct ring *ring, size_t capacity)
{
	void *item = ring->items[ring->head];

	ring->head = (ring->head + 1) % capacity;
	ring->length--;
	return item;
}

struct queue *queue_new(size_t capacity)
{
	pthread_condattr_t attr;
	struct queue *q;

	assert(capacity > 0);
	if (capacity > (SIZE_MAX - sizeof(*q)) / (2 * sizeof(void *)))
		return NULL;
	q = calloc(1, sizeof(*q) + 2 * capacity * sizeof(void *));
	if (!q)
		return NULL;
	q->capacity = capacity;
	q->urgent.items = q->items;
	q->ordinary.items = q->items + capacity;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->not_empty, &attr);
	pthread_cond_init(&q->not_full, &attr);
	pthread_condattr_destroy(&attr);
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->not_full);
	pthread_cond_destroy(&q->not_empty);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* Waits on `cond` with the lock held. False when the time is over. */
static bool wait_on(struct queue *q, pthread_cond_t *cond, int64_t timeout_ms, const struct timespec *until)
{
	if (timeout_ms == 0)
		return false;
	if (timeout_ms < 0) {
		pthread_cond_wait(cond, &q->lock);
		return true;
	}
	return pthread_cond_timedwait(cond, &q->lock, until) == 0;
}

static int push(struct queue *q, struct ring *ring, void *item, int64_t timeout_ms)
{
	struct timespec until = {0};
	int r = 0;

	assert(item);
	if (timeout_ms > 0)
		until = clock_timespec_in_ms(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && length_of(q) == q->capacity)
		if (!wait_on(q, &q->not_full, timeout_ms, &until))
			break;
	if (q->closed) {
		r = -ESHUTDOWN;
	} else if (length_of(q) == q->capacity) {
		r = -EAGAIN;
	} else {
		ring_put(ring, q->capacity, item);
		pthread_cond_signal(&q->not_empty);
	}
	pthread_mutex_unlock(&q->lock);
	return r;
}

int queue_push(struct queue *q, void *item, int64_t timeout_ms)
{
	return push(q, &q->ordinary, item, timeout_ms);
}

int queue_push_urgent(struct queue *q, void *item, int64_t timeout_ms)
{
	return push(q, &q->urgent, item, timeout_ms);
}

void *queue_pop(struct queue *q, int64_t timeout_ms)
{
	struct timespec until = {0};
	void *item = NULL;

	if (timeout_ms > 0)
		until = clock_timespec_in_ms(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && length_of(q) == 0)
		if (!wait_on(q, &q->not_empty, timeout_ms, &until))
			break;
	if (length_of(q) > 0) {
		item = ring_take(q->urgent.length > 0 ? &q->urgent : &q->ordinary, q->capacity);
		pthread_cond_signal(&q->not_full);
	}
	pthread_mutex_unlock(&q->lock);
	return item;
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->not_empty);
	pthread_cond_broadcast(&q->not_full);
	pthread_mutex_unlock(&q->lock);
}

size_t queue_length(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	size_t length = length_of(q);
	pthread_mutex_unlock(&q->lock);
	return length;
}
