#include "cache/newest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"

#define FIRST_SLOTS 1024

/* Persons by the hash of their name alone: two that collide (one chance in 2^64 for each pair) share the higher
 * version, so that at worst the store is asked once too often. */
struct slot {
	uint64_t hash; /* 0: empty */
	uint64_t version;
};

struct newest {
	pthread_rwlock_t lock;
	uint64_t seed;
	size_t count;
	size_t slot_count; /* a power of two, at least twice `count` */
	struct slot *slots;
};

struct newest *newest_new(void)
{
	struct newest *newest = calloc(1, sizeof(*newest));

	if (!newest)
		return NULL;
	newest->slot_count = FIRST_SLOTS;
	newest->slots = calloc(FIRST_SLOTS, sizeof(*newest->slots));
	if (!newest->slots) {
		free(newest);
		return NULL;
	}
	random_bytes(&newest->seed, sizeof(newest->seed));
	pthread_rwlock_init(&newest->lock, NULL);
	return newest;
}

void newest_free(struct newest *newest)
{
	if (!newest)
		return;
	pthread_rwlock_destroy(&newest->lock);
	free(newest->slots);
	free(newest);
}

static uint64_t hash_of(const struct newest *newest, const char *collection, const char *user_id)
{
	uint64_t hash = hash_bytes(newest->seed, collection, strlen(collection));

	hash = hash_bytes(hash, user_id, strlen(user_id));
	return hash ? hash : 1;
}

/* The slot of a hash, or the empty one where it belongs. */
static struct slot *find(struct slot *slots, size_t slot_count, uint64_t hash)
{
	size_t at = hash & (slot_count - 1);

	while (slots[at].hash != 0 && slots[at].hash != hash)
		at = (at + 1) & (slot_count - 1);
	return &slots[at];
}

static int grow(struct newest *newest)
{
	size_t slot_count = newest->slot_count * 2;
	struct slot *slots = calloc(slot_count, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < newest->slot_count; i++) {
		if (newest->slots[i].hash != 0)
			*find(slots, slot_count, newest->slots[i].hash) = newest->slots[i];
	}
	free(newest->slots);
	newest->slots = slots;
	newest->slot_count = slot_count;
	return 0;
}

static int raise_to(struct newest *newest, uint64_t hash, uint64_t version)
{
	struct slot *slot = find(newest->slots, newest->slot_count, hash);

	if (slot->hash == 0 && 2 * (newest->count + 1) > newest->slot_count) {
		if (grow(newest) < 0)
			return -ENOMEM;
		slot = find(newest->slots, newest->slot_count, hash);
	}
	newest->count += slot->hash == 0;
	slot->hash = hash;
	if (version > slot->version)
		slot->version = version;
	return 0;
}

int newest_raise(struct newest *newest, const char *collection, const char *user_id, uint64_t version)
{
	uint64_t hash = hash_of(newest, collection, user_id);

	pthread_rwlock_wrlock(&newest->lock);
	int r = raise_to(newest, hash, version);
	pthread_rwlock_unlock(&newest->lock);
	return r;
}

uint64_t newest_of(struct newest *newest, const char *collection, const char *user_id)
{
	uint64_t hash = hash_of(newest, collection, user_id);

	pthread_rwlock_rdlock(&newest->lock);
	uint64_t version = find(newest->slots, newest->slot_count, hash)->version;
	pthread_rwlock_unlock(&newest->lock);
	return version;
}
