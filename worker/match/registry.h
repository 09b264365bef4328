#ifndef MATCH_REGISTRY_H
#define MATCH_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/modelset.h"
#include "obs/metrics.h"
#include "people_desk.h"
#include "store/store.h"

/**
 * Everybody who is enrolled, as one worker knows them: galleries, the cache of persons and the thread that keeps both
 * up with the store. The compute threads each open a desk on it.
 */
struct registry;

struct registry_settings {
	struct store_settings store;
	int64_t poll_ms;
	size_t cache_bytes;            /**< for persons; 0: none */
	struct redis *redis;           /**< NULL: none; outlives the registry */
	const struct modelset *models; /**< outlives the registry */
	struct metrics *metrics;
	/** Tells the other workers that the store's people are at `version`. Any compute thread; must not block. */
	void (*announce)(void *arg, uint64_t version);
	void *arg;
};

/** Loads the galleries, if the store can be reached, and follows. Errors as follower_start(). Blocks while it loads. */
int registry_start(struct registry **out, const struct registry_settings *settings, struct error *err) must_check;

/** For matcher_settings.people. */
const struct people_desk_settings *registry_desk(const struct registry *registry);

/** Another worker says that the store's people are at `version`. Any thread; never blocks. */
void registry_hear(struct registry *registry, uint64_t version);

/** A fault that no waiting mends; false while all is well. Any thread. */
bool registry_failed(struct registry *registry, struct error *err);

/** After the desks. NULL is fine. May take as long as the store's timeout. */
void registry_stop(struct registry *registry);

#endif
