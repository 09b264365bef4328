#ifndef CACHE_LRU_H
#define CACHE_LRU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"

/**
 * Byte strings by byte strings, the least recently used forgotten first, bounded in bytes: keys, values and what keeps
 * them are counted. Any thread; one lock, held for a copy at the longest. Values are copied in and out, so nobody
 * holds on to what was forgotten.
 */
struct lru;

/** NULL when memory is out. */
struct lru *lru_new(size_t max_bytes) must_check;
void lru_free(struct lru *lru);

/**
 * Keeps `value` under `key` for `ttl_ms` (0: until it is pushed out), in the place of what was there. Returns 0,
 * -EMSGSIZE for what is larger than the whole or -ENOMEM; then nothing is kept under the key.
 */
int lru_put(struct lru *lru, const void *key, size_t key_size, const void *value, size_t value_size,
	    int64_t ttl_ms) must_check;

/** Appends the value to `out`. Returns 0, -ENOENT, or what buffer_append() returned. */
int lru_get(struct lru *lru, const void *key, size_t key_size, struct buffer *out) must_check;

/** True if there was something to remove. */
bool lru_remove(struct lru *lru, const void *key, size_t key_size);
void lru_clear(struct lru *lru);

struct lru_counts {
	uint64_t hits;
	uint64_t misses;
	uint64_t evictions; /**< pushed out by others, not expired or removed */
	size_t entries;
	size_t bytes;
};
struct lru_counts lru_counts(struct lru *lru);

#endif
