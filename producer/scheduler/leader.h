#ifndef SCHEDULER_LEADER_H
#define SCHEDULER_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/schedules.h"

/**
 * Whether this scheduler is the one that acts: it holds the store's lock, and renews it five times within its life. Who
 * could not renew it stops acting when it expires, by a clock that nobody sets; what it does by mistake after that is
 * refused by the store, whose token is a newer one. Used by one thread.
 */
struct leader {
	char holder[UUID_SIZE]; /**< this process */
	struct schedule_lock lock;
	int64_t ttl_ms;
	bool is_leading;
	int64_t until_ms; /**< monotonic; when what we hold expires */
	int64_t next_ms;  /**< monotonic; when the lock is asked for again */
};

void leader_init(struct leader *leader, int64_t ttl_ms);

/** How often leader_tick() is to be called at least. */
int64_t leader_pause_ms(const struct leader *leader);

/** Takes or renews the lock when it is time to. Blocking. On an error nothing changes but the time of the next try. */
int leader_tick(struct leader *leader, struct store *store, struct error *err) must_check;

/** True as long as it may act. */
bool leader_is_leading(struct leader *leader);

/** The store said that another one leads. */
void leader_lose(struct leader *leader);

/** Gives the lock back, so that another takes over at once. */
void leader_resign(struct leader *leader, struct store *store);

#endif
