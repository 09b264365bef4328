#ifndef CACHE_PEOPLE_REDIS_H
#define CACHE_PEOPLE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/context.h"
#include "cache/redis.h"
#include "store/people.h"

/* Enrolled persons in Redis; see people_cache.h for what lies there. */

/** What three parts of at most 128, 128 and 64 bytes take, each byte written as three. */
#define PEOPLE_REDIS_KEY_SIZE 1024

/** Writes the key of a person. Returns its length, 0 for parts that are too long. */
size_t people_redis_key(const char *collection, const char *user_id, const char *model_id,
			char key[PEOPLE_REDIS_KEY_SIZE]) must_check;

/**
 * Looks a person up; free with people_finish(). Nothing there is no error: version 0. Otherwise as redis_command(), or
 * -EBADMSG for what nobody could have meant.
 */
int people_redis_get(struct redis *redis, const struct context *ctx, const char *key, int dimension,
		     struct people_person *out) must_check;

/** Replaces what is there, unless that is newer. Without images: a version alone. Returns as redis_command(). */
int people_redis_put(struct redis *redis, const struct context *ctx, const char *key,
		     const struct people_person *person) must_check;

#endif
