#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;
	pthread_cond_t not_full;
	size_t capacity;
	size_t head; /* index of the oldest item */
	size_t length;
	bool closed;
	void *items[];
};

struct queue *queue_new(size_t capacity)
{
	pthread_condattr_t attr;
	struct queue *q;

	assert(capacity > 0);
	if (capacity > SIZE_MAX / sizeof(void *) - sizeof(*q))
		return NULL;
	q = calloc(1, sizeof(*q) + capacity * sizeof(void *));
	if (!q)
		return NULL;
	q->capacity = capacity;
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

int queue_push(struct queue *q, void *item, int64_t timeout_ms)
{
	struct timespec until = {0};
	int r = 0;

	assert(item);
	if (timeout_ms > 0)
		until = clock_timespec_in_ms(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->length == q->capacity)
		if (!wait_on(q, &q->not_full, timeout_ms, &until))
			break;
	if (q->closed) {
		r = -ESHUTDOWN;
	} else if (q->length == q->capacity) {
		r = -EAGAIN;
	} else {
		q->items[(q->head + q->length) % q->capacity] = item;
		q->length++;
		pthread_cond_signal(&q->not_empty);
	}
	pthread_mutex_unlock(&q->lock);
	return r;
}

void *queue_pop(struct queue *q, int64_t timeout_ms)
{
	struct timespec until = {0};
	void *item = NULL;

	if (timeout_ms > 0)
		until = clock_timespec_in_ms(timeout_ms);
	pthread_mutex_lock(&q->lock);
	while (!q->closed && q->length == 0)
		if (!wait_on(q, &q->not_empty, timeout_ms, &until))
			break;
	if (q->length > 0) {
		item = q->items[q->head];
		q->head = (q->head + 1) % q->capacity;
		q->length--;
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
	size_t length = q->length;
	pthread_mutex_unlock(&q->lock);
	return length;
}
