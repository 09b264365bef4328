#ifndef CACHE_METERS_H
#define CACHE_METERS_H

#include <stdint.h>

#include "obs/metrics.h"

/** What a cache in front of something slower measures. */
struct cache_meters {
	struct metric *lookups[3]; /**< by enum cache_answer */
	struct metric *garbage;
};

/** Who answered a look-up. One that was shared with another caller is that caller's. */
enum cache_answer { CACHE_PROCESS, CACHE_REDIS, CACHE_SOURCE };

/** `cache` and `source` (what is slower) are the labels. `registry` outlives the meters. */
void cache_meters_init(struct cache_meters *meters, struct metrics *registry, const char *cache, const char *source);

/** `start_ns` (clock_monotonic_ns()) is when the look-up began. Any thread. */
void cache_meters_answered(struct cache_meters *meters, enum cache_answer answer, int64_t start_ns);

/** Redis held something that nobody could have meant. Any thread. */
void cache_meters_garbage(struct cache_meters *meters);

#endif
