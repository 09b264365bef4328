#ifndef MATCH_FOLLOWER_H
#define MATCH_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "cache/people_cache.h"
#include "galleries.h"
#include "obs/metrics.h"
#include "store/store.h"

/**
 * The thread that keeps galleries and people cache up with the store: at once when somebody tells of a change, and in
 * any case every `poll_ms`, so that what nobody told is found too.
 */
struct follower;

struct follower_settings {
	struct store_settings store;
	struct galleries *galleries;
	struct people_cache *cache;
	int64_t poll_ms;
	struct metrics *metrics;
};

/**
 * Loads the galleries and starts following. A store that cannot be reached now is no error: the thread goes on
 * trying. One that this program cannot work with is (`config`). Blocks while it loads.
 */
int follower_start(struct follower **out, const struct follower_settings *settings, struct error *err) must_check;

/** Somebody says that the store's people are at `version`. Any thread; never blocks. */
void follower_hear(struct follower *follower, uint64_t version);

/** A fault that no waiting mends; false while all is well. Any thread. */
bool follower_failed(struct follower *follower, struct error *err);

/** NULL is fine. May take as long as the store's timeout. */
void follower_stop(struct follower *follower);

#endif
