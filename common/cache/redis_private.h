#ifndef CACHE_REDIS_PRIVATE_H
#define CACHE_REDIS_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache/redis.h"
#include "cache/redis_link.h"
#include "cache/redis_url.h"

/*
 * One place for a connection. Whoever made it busy has it for themselves until they give it back, idle or broken; the
 * keeper alone opens and closes (so that no other thread's descriptor is closed under its hands), hence an empty or
 * broken one is the keeper's.
 */
struct redis_slot {
	enum { SLOT_EMPTY, SLOT_IDLE, SLOT_BUSY, SLOT_BROKEN } state;
	struct redis_link link;
	int64_t used_ms; /* when it was last given back idle */
};

#define REDIS_MAX_CONNECTIONS 64

enum redis_outcome { REDIS_OK_OUTCOME, REDIS_UNAVAILABLE, REDIS_TIMEOUT, REDIS_SERVER_ERROR, REDIS_GARBAGE };
#define REDIS_OUTCOMES 5

struct redis {
	struct redis_url url;
	int64_t timeout_ms;
	struct metrics *own_metrics; /* when the caller has none */
	struct metric *up;
	struct metric *outcomes[REDIS_OUTCOMES];
	struct metric *seconds;
	struct breakers *breakers;
	int wake_fd; /* the keeper has something to look at */
	int stop_fd; /* readable for ever, once it has to end */
	pthread_t keeper;

	pthread_mutex_t lock; /* guards what follows, not what is in a busy, empty or broken slot */
	pthread_cond_t ended_now;
	bool stopping;
	bool ended;     /* the keeper touches nothing any more */
	bool abandoned; /* the keeper frees all this */
	bool failing;   /* and has said so in the log */
	int64_t last_failure_ms;
	unsigned failures; /* since the last success: for the back-off */
	int64_t retry_at_ms;
	unsigned slot_count;
	struct redis_slot slots[];
};

/** The thread that opens and closes connections. */
void *redis_keeper_main(void *redis);

/** Frees what redis_new() made; the keeper has ended, or is the caller. */
void redis_destroy(struct redis *redis);

/** Takes note, and logs what has to be, of what became of a command or connection. With the lock held. */
void redis_note_success(struct redis *redis);
void redis_note_failure(struct redis *redis, const struct context *ctx, const char *reason);

/** Makes a slot idle or broken, or (the keeper) empty. With the lock held. */
void redis_set_state(struct redis *redis, struct redis_slot *slot, int state);

#endif
