#include "amqp/watchdog.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"

static void cut_locked(struct watchdog *w)
{
	if (w->fd >= 0)
		shutdown(w->fd, SHUT_RDWR);
}

static void *watchdog_main(void *arg)
{
	struct watchdog *w = arg;

	thread_set_name("amqp-watchdog");
	pthread_mutex_lock(&w->lock);
	while (!w->stopping) {
		if (w->busy_since_ms != 0 && clock_monotonic_ms() - w->busy_since_ms > w->limit_ms)
			cut_locked(w);
		struct timespec until = clock_timespec_in_ms(w->limit_ms / 4 + 1);
		pthread_cond_timedwait(&w->changed, &w->lock, &until);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int watchdog_start(struct watchdog *w, int64_t limit_ms)
{
	pthread_condattr_t attributes;

	*w = (struct watchdog){.limit_ms = limit_ms, .fd = -1};
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	int r = thread_start(&w->thread, watchdog_main, w);
	if (r < 0) {
		pthread_cond_destroy(&w->changed);
		pthread_mutex_destroy(&w->lock);
	}
	return r;
}

void watchdog_stop(struct watchdog *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
}

void watchdog_guard(struct watchdog *w, int fd)
{
	pthread_mutex_lock(&w->lock);
	w->fd = fd;
	pthread_mutex_unlock(&w->lock);
}

void watchdog_enter(struct watchdog *w)
{
	pthread_mutex_lock(&w->lock);
	w->busy_since_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&w->lock);
}

void watchdog_leave(struct watchdog *w)
{
	pthread_mutex_lock(&w->lock);
	w->busy_since_ms = 0;
	pthread_mutex_unlock(&w->lock);
}

void watchdog_cut(struct watchdog *w)
{
	pthread_mutex_lock(&w->lock);
	cut_locked(w);
	pthread_mutex_unlock(&w->lock);
}
