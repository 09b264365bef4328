#include "cache/lru.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"

enum { FIRST_BUCKETS = 64 };

struct entry {
	struct entry *chain; /* others of the same bucket */
	struct entry *newer;
	struct entry *older;
	uint64_t hash;
	int64_t expires_ns; /* 0: never */
	size_t key_size;
	size_t value_size;
	uint8_t bytes[]; /* key, value */
};

struct lru {
	pthread_mutex_t lock;
	size_t max_bytes;
	size_t buckets; /* a power of two */
	struct entry **table;
	struct entry *newest;
	struct entry *oldest;
	uint64_t seed; /* keys come from clients: which of them collide must not be known */
	struct lru_counts counts;
};

static size_t weight(const struct entry *e)
{
	return sizeof(*e) + sizeof(e) + e->key_size + e->value_size;
}

struct lru *lru_new(size_t max_bytes)
{
	struct lru *lru = calloc(1, sizeof(*lru));

	if (!lru)
		return NULL;
	lru->table = calloc(FIRST_BUCKETS, sizeof(struct entry *));
	if (!lru->table) {
		free(lru);
		return NULL;
	}
	lru->buckets = FIRST_BUCKETS;
	lru->max_bytes = max_bytes;
	random_bytes(&lru->seed, sizeof(lru->seed));
	pthread_mutex_init(&lru->lock, NULL);
	return lru;
}

static struct entry **place_of(struct lru *lru, uint64_t hash, const void *key, size_t key_size)
{
	struct entry **at = &lru->table[hash & (lru->buckets - 1)];

	while (*at && ((*at)->hash != hash || (*at)->key_size != key_size || memcmp((*at)->bytes, key, key_size) != 0))
		at = &(*at)->chain;
	return at;
}

static void unlink_age(struct lru *lru, struct entry *e)
{
	*(e->newer ? &e->newer->older : &lru->newest) = e->older;
	*(e->older ? &e->older->newer : &lru->oldest) = e->newer;
}

static void link_newest(struct lru *lru, struct entry *e)
{
	e->newer = NULL;
	e->older = lru->newest;
	*(lru->newest ? &lru->newest->newer : &lru->oldest) = e;
	lru->newest = e;
}

static void forget(struct lru *lru, struct entry **at)
{
	struct entry *e = *at;

	*at = e->chain;
	unlink_age(lru, e);
	lru->counts.entries--;
	lru->counts.bytes -= weight(e);
	free(e);
}

/* Doubles the table; without memory the chains only grow longer. */
static void grow(struct lru *lru)
{
	size_t buckets = lru->buckets * 2;
	struct entry **table = calloc(buckets, sizeof(struct entry *));

	if (!table)
		return;
	for (struct entry *e = lru->newest; e; e = e->older) {
		struct entry **head = &table[e->hash & (buckets - 1)];
		e->chain = *head;
		*head = e;
	}
	free(lru->table);
	lru->table = table;
	lru->buckets = buckets;
}

static void make_room(struct lru *lru, size_t wanted)
{
	while (lru->oldest && lru->counts.bytes + wanted > lru->max_bytes) {
		struct entry *e = lru->oldest;
		forget(lru, place_of(lru, e->hash, e->bytes, e->key_size));
		lru->counts.evictions++;
	}
}

static struct entry *entry_new(const void *key, size_t key_size, const void *value, size_t value_size, int64_t ttl_ms)
{
	struct entry *e = malloc(sizeof(*e) + key_size + value_size);

	if (!e)
		return NULL;
	*e = (struct entry){.key_size = key_size, .value_size = value_size};
	e->expires_ns = ttl_ms > 0 ? clock_monotonic_ns() + ttl_ms * 1000000 : 0;
	memcpy(e->bytes, key, key_size);
	if (value_size > 0)
		memcpy(e->bytes + key_size, value, value_size);
	return e;
}

int lru_put(struct lru *lru, const void *key, size_t key_size, const void *value, size_t value_size, int64_t ttl_ms)
{
	struct entry *e = NULL;
	int r = 0;

	if (key_size > lru->max_bytes || value_size > lru->max_bytes ||
	    sizeof(*e) + sizeof(e) + key_size + value_size > lru->max_bytes)
		r = -EMSGSIZE;
	else if (!(e = entry_new(key, key_size, value, value_size, ttl_ms)))
		r = -ENOMEM;

	uint64_t hash = hash_bytes(lru->seed, key, key_size);
	pthread_mutex_lock(&lru->lock);
	struct entry **old = place_of(lru, hash, key, key_size);
	if (*old)
		forget(lru, old);
	if (e) {
		make_room(lru, weight(e));
		if (lru->counts.entries >= lru->buckets)
			grow(lru);
		e->hash = hash;
		*place_of(lru, hash, key, key_size) = e;
		link_newest(lru, e);
		lru->counts.entries++;
		lru->counts.bytes += weight(e);
	}
	pthread_mutex_unlock(&lru->lock);
	return r;
}

int lru_get(struct lru *lru, const void *key, size_t key_size, struct buffer *out)
{
	uint64_t hash = hash_bytes(lru->seed, key, key_size);
	int r = -ENOENT;

	pthread_mutex_lock(&lru->lock);
	struct entry **at = place_of(lru, hash, key, key_size);
	if (*at && (*at)->expires_ns > 0 && (*at)->expires_ns <= clock_monotonic_ns())
		forget(lru, at);
	else if (*at) {
		struct entry *e = *at;
		unlink_age(lru, e);
		link_newest(lru, e);
		r = buffer_append(out, e->bytes + key_size, e->value_size);
	}
	*(r == -ENOENT ? &lru->counts.misses : &lru->counts.hits) += 1;
	pthread_mutex_unlock(&lru->lock);
	return r;
}

bool lru_remove(struct lru *lru, const void *key, size_t key_size)
{
	uint64_t hash = hash_bytes(lru->seed, key, key_size);

	pthread_mutex_lock(&lru->lock);
	struct entry **at = place_of(lru, hash, key, key_size);
	bool there = *at != NULL;
	if (there)
		forget(lru, at);
	pthread_mutex_unlock(&lru->lock);
	return there;
}

static void forget_all(struct lru *lru)
{
	while (lru->oldest)
		forget(lru, place_of(lru, lru->oldest->hash, lru->oldest->bytes, lru->oldest->key_size));
}

void lru_clear(struct lru *lru)
{
	pthread_mutex_lock(&lru->lock);
	forget_all(lru);
	pthread_mutex_unlock(&lru->lock);
}

struct lru_counts lru_counts(struct lru *lru)
{
	pthread_mutex_lock(&lru->lock);
	struct lru_counts counts = lru->counts;
	pthread_mutex_unlock(&lru->lock);
	return counts;
}

void lru_free(struct lru *lru)
{
	if (!lru)
		return;
	forget_all(lru);
	pthread_mutex_destroy(&lru->lock);
	free(lru->table);
	free(lru);
}
