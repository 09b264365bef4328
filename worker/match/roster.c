#include "roster.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct roster {
	pthread_mutex_t lock;
	pthread_cond_t emptied;
	struct task *first;
	size_t count;
};

struct roster *roster_new(void)
{
	struct roster *roster = calloc(1, sizeof(*roster));
	pthread_condattr_t attr;

	if (!roster)
		return NULL;
	pthread_mutex_init(&roster->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&roster->emptied, &attr);
	pthread_condattr_destroy(&attr);
	return roster;
}

void roster_free(struct roster *roster)
{
	if (!roster)
		return;
	while (roster->first)
		roster_remove(roster, roster->first);
	pthread_cond_destroy(&roster->emptied);
	pthread_mutex_destroy(&roster->lock);
	free(roster);
}

void roster_add(struct roster *roster, struct task *task)
{
	pthread_mutex_lock(&roster->lock);
	task->next = roster->first;
	if (roster->first)
		roster->first->previous = task;
	roster->first = task;
	roster->count++;
	pthread_mutex_unlock(&roster->lock);
}

void roster_remove(struct roster *roster, struct task *task)
{
	pthread_mutex_lock(&roster->lock);
	if (task->previous)
		task->previous->next = task->next;
	else
		roster->first = task->next;
	if (task->next)
		task->next->previous = task->previous;
	if (--roster->count == 0)
		pthread_cond_broadcast(&roster->emptied);
	pthread_mutex_unlock(&roster->lock);
	task_free(task);
}

size_t roster_count(struct roster *roster)
{
	pthread_mutex_lock(&roster->lock);
	size_t count = roster->count;
	pthread_mutex_unlock(&roster->lock);
	return count;
}

int roster_wait_empty(struct roster *roster, int64_t timeout_ms)
{
	struct timespec until = clock_timespec_in_ms(timeout_ms);
	int r = 0;

	pthread_mutex_lock(&roster->lock);
	while (roster->count > 0 && r == 0)
		r = pthread_cond_timedwait(&roster->emptied, &roster->lock, &until);
	r = roster->count > 0 ? -ETIMEDOUT : 0;
	pthread_mutex_unlock(&roster->lock);
	return r;
}

/* By the delivery's own id: the rest of a task belongs to whoever holds it. */
void roster_cancel(struct roster *roster, const char *task_id)
{
	pthread_mutex_lock(&roster->lock);
	for (struct task *task = roster->first; task; task = task->next) {
		if (strcmp(task->delivery->envelope.message_id, task_id) == 0)
			context_cancel(&task->ctx);
	}
	pthread_mutex_unlock(&roster->lock);
}

void roster_cancel_all(struct roster *roster)
{
	pthread_mutex_lock(&roster->lock);
	for (struct task *task = roster->first; task; task = task->next)
		context_cancel(&task->ctx);
	pthread_mutex_unlock(&roster->lock);
}
