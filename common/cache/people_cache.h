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
 * Enrolled persons in front of the store: first in the process, then in Redis, then the store itself. Somebody who is
 * not enrolled is looked up in the store each time. A Redis that is down, slow, full or holds garbage costs time, never
 * a look-up. Any thread.
 *
 * In Redis: key face:<collection>:<user id>:<model id>, parts percent-encoded; a hash with `version` and one
 * e:<image id> of little-endian float32 for each image; for an hour. One with a version alone says "ask the store".
 *
 * A copy counts only if it is at least as new as what people_cache_know() was told of the person, and one in Redis only
 * of persons it was told of. So whoever follows the store and says so here finds nobody longer than they follow late,
 * whatever Redis missed, forgot or was never told. Redis itself never replaces a version by an older one; so it must be
 * emptied when its store is put back to an older copy.
 */
struct people_cache;

#define PEOPLE_CACHE_TTL_S 3600

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

/** Somebody is known to be at `version`: nothing older counts in this process from now on. Returns 0 or -ENOMEM. */
int people_cache_know(struct people_cache *cache, const char *collection, const char *user_id,
		      uint64_t version) must_check;

/**
 * Clears what Redis has of somebody who has changed, so that those who have not heard of it yet ask the store. After
 * each enrolment and unenrolment, before its reply, also when it had been done before: whoever did it may have died
 * before telling. Takes as long as a command to Redis may.
 */
void people_cache_tell(struct people_cache *cache, const struct context *ctx, const char *collection,
		       const char *user_id, uint64_t version);

#define PEOPLE_CACHE_PATTERN_SIZE 1024

/**
 * Writes the pattern, for redis_forget(), of all keys of a user under any model, in one collection or (NULL) all.
 * A worker that was looking the user up at the moment they left the store may write a key back just after. Returns 0,
 * or -EMSGSIZE for a name that is too long to have a key.
 */
int people_cache_pattern(const char *collection, const char *user_id,
			 char pattern[PEOPLE_CACHE_PATTERN_SIZE]) must_check;

#endif
