#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/thread.h"

struct pool {
	const struct pool_ops *ops;
	void *arg;
	struct queue *queue;
	const char *name;

	pthread_mutex_t lock;
	pthread_cond_t entered_changed;
	unsigned entered; /* threads whose enter() has returned */
	int enter_error;  /* of the first that failed */

	unsigned threads;
	struct pool_thread {
		struct pool *pool;
		unsigned index;
		pthread_t id;
	} thread[];
};

static void report_entered(struct pool *pool, int error)
{
	pthread_mutex_lock(&pool->lock);
	pool->entered++;
	if (error < 0 && pool->enter_error == 0)
		pool->enter_error = error;
	pthread_cond_signal(&pool->entered_changed);
	pthread_mutex_unlock(&pool->lock);
}

static void *next_item(struct pool *pool, void *state)
{
	void *item = pool->ops->idle ? queue_pop(pool->queue, 0) : NULL;

	if (item)
		return item;
	if (pool->ops->idle)
		pool->ops->idle(pool->arg, state);
	return queue_pop(pool->queue, -1);
}

static void *thread_main(void *p)
{
	struct pool_thread *self = p;
	struct pool *pool = self->pool;
	void *state = NULL;
	void *item;
	int r = 0;

	thread_set_name("%s-%u", pool->name, self->index);
	if (pool->ops->enter)
		r = pool->ops->enter(pool->arg, self->index, &state);
	report_entered(pool, r);
	if (r < 0)
		return NULL;
	while ((item = next_item(pool, state)))
		pool->ops->run(pool->arg, state, item);
	if (pool->ops->leave)
		pool->ops->leave(pool->arg, state);
	return NULL;
}

static void join_and_free(struct pool *pool, unsigned started)
{
	for (unsigned i = 0; i < started; i++)
		pthread_join(pool->thread[i].id, NULL);
	pthread_cond_destroy(&pool->entered_changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int pool_start(struct pool **out, const char *name, unsigned threads, struct queue *queue, const struct pool_ops *ops,
	       void *arg)
{
	struct pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->thread[0]));
	unsigned started;
	int r = 0;

	if (!pool)
		return -ENOMEM;
	pool->ops = ops;
	pool->arg = arg;
	pool->queue = queue;
	pool->name = name;
	pool->threads = threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->entered_changed, NULL);
	for (started = 0; started < threads; started++) {
		struct pool_thread *t = &pool->thread[started];
		t->pool = pool;
		t->index = started;
		r = thread_start(&t->id, thread_main, t);
		if (r < 0)
			break;
	}

	pthread_mutex_lock(&pool->lock);
	while (pool->entered < started)
		pthread_cond_wait(&pool->entered_changed, &pool->lock);
	if (r == 0)
		r = pool->enter_error;
	pthread_mutex_unlock(&pool->lock);
	if (r < 0) {
		queue_close(queue);
		join_and_free(pool, started);
		return r;
	}
	*out = pool;
	return 0;
}

void pool_stop(struct pool *pool)
{
	if (!pool)
		return;
	queue_close(pool->queue);
	join_and_free(pool, pool->threads);
}
