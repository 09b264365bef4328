#ifndef CACHE_PHOTO_CACHE_H
#define CACHE_PHOTO_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "cache/redis.h"
#include "obs/metrics.h"

/**
 * What was computed of a photograph, by its bytes: a photograph seen again is not computed again. First in the
 * process, then in Redis, then by computing, once for those who ask at the same time. Errors are not kept. What a
 * value means is the caller's business. Any thread.
 *
 * The key is HMAC-SHA256 under the fleet's secret over `identity` and the bytes: who can read the cache cannot tell
 * whether it holds a photograph that they have. In Redis: string photo:<64 hexadecimal digits>.
 */
struct photo_cache;

#define PHOTO_CACHE_MIN_SECRET 16
/** Every key in Redis, for redis_forget(). */
#define PHOTO_CACHE_PATTERN "photo:*"

struct photo_cache_settings {
	size_t max_bytes;     /**< in the process; ≥ 1 */
	int64_t ttl_s;        /**< here and in Redis */
	const char *secret;   /**< of the fleet; "": one of this process, and Redis is not used; copied */
	const char *identity; /**< of everything but the photograph that a value depends on; copied */
	struct redis *redis;  /**< NULL: none; outlives the cache */
	struct metrics *metrics;
};

/** Refuses (`config`) a secret that is too short. */
int photo_cache_new(struct photo_cache **out, const struct photo_cache_settings *settings,
		    struct error *err) must_check;

/** Nobody may be using it. NULL is fine. */
void photo_cache_free(struct photo_cache *cache);

struct photo_cache_request {
	const uint8_t *photo;
	size_t size;
	uint8_t variant; /**< of the value: what the caller wants to know of the photograph */
	/** Computes a value, on the thread of the caller who came first. */
	int (*compute)(void *arg, struct buffer *value, struct error *err);
	/** False for a value from Redis that is none. */
	bool (*is_valid)(void *arg, const struct buffer *value);
	void *arg;
};

/** Appends the value to `out`. Errors are those of `compute` and of the context; a Redis in trouble is none. */
int photo_cache_find(struct photo_cache *cache, const struct context *ctx, const struct photo_cache_request *request,
		     struct buffer *out, struct error *err) must_check;

/** Forgets every value of this process; what is being computed at this moment stays. */
void photo_cache_forget(struct photo_cache *cache);

#endif
