#ifndef CACHE_PEOPLE_CACHE_H
#define CACHE_PEOPLE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "cache/redis.h"
#include "obs/metrics.h"
#include "store/people.h"

/**
 * Enrolled persons in front of the store: first in the process, then in Redis, then the store itself. Nothing older
 * than what is known to be the newest version of a person is given out or kept. Somebody who is not enrolled is looked
 * up in the store each time. A Redis that is down, slow, full or holds garbage costs time, never a look-up. Any thread.
 *
 * In Redis: key face:<collection>:<user id>:<model id>, parts percent-encoded; a hash with `version` and one
 * e:<image id> of little-endian float32 for each image; for an hour. One with a version alone says "ask the store".
 *
 * How long can somebody who is gone still be found? In a process that is told (people_cache_changed(), within a second
 * of the change), no longer: what was being looked up at that moment is neither kept nor written to Redis. Redis
 * refuses what is older than the version it has. It can have forgotten that version (evicted, restarted), and then gets
 * an older one only from a process that read the store before the change, does not know of the change yet, and took
 * less than a second for that. What could not be told to Redis is told by people_cache_catch_up(). What remains: a
 * process that ends before it has caught up, or a command that Redis carries out long after its sender gave up. Then
 * a process that has not heard of the change itself finds the person for at most PEOPLE_CACHE_TTL_S, and
 * PEOPLE_CACHE_REDIS_TTL_S more in its own memory. A Redis must be emptied when its store is replaced by an older copy.
 */
struct people_cache;

#define PEOPLE_CACHE_TTL_S 3600
#define PEOPLE_CACHE_REDIS_TTL_S 60 /**< in the process, of what came from Redis */

struct people_cache_settings {
	size_t max_bytes;     /**< in the process; 0: none */
	struct redis *redis;  /**< NULL: none; outlives the cache */
	const char *model_id; /**< outlives the cache */
	int dimension;
	struct metrics *metrics;
};

/** NULL when memory is out. */
struct people_cache *people_cache_new(const struct people_cache_settings *settings) must_check;

/** Nobody may be using it. NULL is fine. */
void people_cache_free(struct people_cache *cache);

/** Asks the store; runs on the thread of the caller who came first. */
typedef int people_cache_load_fn(void *arg, const char *collection, const char *user_id, struct people_person *out,
				 struct error *err);

/**
 * Finds a person as people_find() does; free with people_finish(). Those who ask for the same person meanwhile share
 * one look at Redis and store. Errors are those of `load` and of the context; a Redis in trouble is none.
 */
int people_cache_find(struct people_cache *cache, const struct context *ctx, const char *collection,
		      const char *user_id, people_cache_load_fn *load, void *arg, struct people_person *out,
		      struct error *err) must_check;

/** A person has changed: nothing before `version` counts any more in this process. */
void people_cache_changed(struct people_cache *cache, const char *collection, const char *user_id, uint64_t version);

/**
 * The same for every process, this one included, through Redis. After each enrolment and unenrolment, before its reply,
 * also when it had been done before: whoever did it may have died before telling. False when Redis could not be told;
 * people_cache_catch_up() does it then.
 */
bool people_cache_tell(struct people_cache *cache, const struct context *ctx, const char *collection,
		       const char *user_id, uint64_t version);

/**
 * Tells Redis what it could not be told (of the last PEOPLE_CACHE_MAX_UNTOLD changes), until it again cannot. To be
 * called about once a second, by one thread. Returns how many are left.
 */
unsigned people_cache_catch_up(struct people_cache *cache, const struct context *ctx);

#define PEOPLE_CACHE_MAX_UNTOLD 1024

#define PEOPLE_CACHE_PATTERN_SIZE 1024

/**
 * Writes the pattern, for redis_forget(), of all keys of a user under any model, in one collection or (NULL) all.
 * Workers that were looking the user up may write a key back for a second after the user left the store: forget twice,
 * two seconds apart. Returns 0, or -EMSGSIZE for a name that is too long to have a key.
 */
int people_cache_pattern(const char *collection, const char *user_id,
			 char pattern[PEOPLE_CACHE_PATTERN_SIZE]) must_check;

#endif
