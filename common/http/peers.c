#include "http/peers.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"

#define SWEEP_MS 250

void peers_init(struct peers *peers)
{
	pthread_condattr_t attributes;

	*peers = (struct peers){0};
	TAILQ_INIT(&peers->list);
	pthread_mutex_init(&peers->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&peers->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* Under the lock, so that the descriptor is still the connection's. Who reads from it sees the end. */
static void sweep(struct peers *peers, int64_t now_ms)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &peers->list, entry)
	{
		if (peer->deadline_ms != 0 && now_ms >= peer->deadline_ms) {
			shutdown(peer->fd, SHUT_RDWR);
			peer->deadline_ms = 0;
		}
	}
}

static void *sweep_loop(void *arg)
{
	struct peers *peers = arg;

	thread_set_name("http-peers");
	pthread_mutex_lock(&peers->lock);
	while (!peers->stopping) {
		struct timespec until = clock_timespec_in_ms(SWEEP_MS);

		pthread_cond_timedwait(&peers->changed, &peers->lock, &until);
		sweep(peers, clock_monotonic_ms());
	}
	pthread_mutex_unlock(&peers->lock);
	return NULL;
}

int peers_start(struct peers *peers)
{
	int r = thread_start(&peers->thread, sweep_loop, peers);

	peers->started = r == 0;
	return r;
}

void peers_finish(struct peers *peers)
{
	pthread_mutex_lock(&peers->lock);
	peers->stopping = true;
	pthread_cond_signal(&peers->changed);
	pthread_mutex_unlock(&peers->lock);
	if (peers->started)
		pthread_join(peers->thread, NULL);
	pthread_cond_destroy(&peers->changed);
	pthread_mutex_destroy(&peers->lock);
}

struct peer *peers_add(struct peers *peers, int fd, int64_t deadline_ms)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->fd = fd;
	peer->deadline_ms = deadline_ms;
	pthread_mutex_lock(&peers->lock);
	TAILQ_INSERT_TAIL(&peers->list, peer, entry);
	pthread_mutex_unlock(&peers->lock);
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	if (!peer)
		return;
	pthread_mutex_lock(&peers->lock);
	TAILQ_REMOVE(&peers->list, peer, entry);
	pthread_mutex_unlock(&peers->lock);
	free(peer);
}

void peers_expect(struct peers *peers, struct peer *peer, int64_t deadline_ms)
{
	if (!peer)
		return;
	pthread_mutex_lock(&peers->lock);
	peer->deadline_ms = deadline_ms;
	pthread_mutex_unlock(&peers->lock);
}
