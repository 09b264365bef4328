#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/compiler.h"

/*
 * The connections of a service, and until when each must have said what is expected of it: a client that sends a byte
 * now and then is never idle, but it does not get further. Inside of common/http.
 */

/** One connection. */
struct peer {
	TAILQ_ENTRY(peer) entry;
	int fd;
	int64_t deadline_ms; /**< monotonic; 0: nothing is expected */
};

struct peers {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started;
	bool stopping;
	TAILQ_HEAD(, peer) list;
};

void peers_init(struct peers *peers);

/** Starts the thread that shuts the sockets of late ones. Returns 0 or a negative errno. */
int peers_start(struct peers *peers) must_check;

/** Ends the thread. Every peer must have been removed. */
void peers_finish(struct peers *peers);

/** Adds a connection; NULL when memory is out. */
struct peer *peers_add(struct peers *peers, int fd, int64_t deadline_ms) must_check;
void peers_remove(struct peers *peers, struct peer *peer);

/** Sets the deadline; 0: none. `peer` may be NULL. */
void peers_expect(struct peers *peers, struct peer *peer, int64_t deadline_ms);

#endif
