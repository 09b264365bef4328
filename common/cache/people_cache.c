#include "cache/people_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cache/lru.h"
#include "cache/people_entry.h"
#include "cache/people_redis.h"
#include "cache/people_untold.h"
#include "cache/single_flight.h"

/* Somebody else has heard of a change by then. */
#define MAX_LOAD_MS 1000

/* More make it rarer that somebody else's change keeps a person from being kept. */
#define PLACES 1024

struct people_cache {
	struct people_cache_settings settings;
	struct lru *lru;
	struct single_flight *flights;
	struct people_untold *untold;
	pthread_mutex_t lock; /* looking at an entry's version and replacing it is one step */
	/*
	 * How often somebody of a place (of the hash of a key) has changed. Unlike an entry's version, it is never
	 * pushed out: who has seen a change during a look-up does not keep what was found.
	 */
	atomic_uint changes[PLACES];
	struct metric *from_process;
	struct metric *from_redis;
	struct metric *from_store;
	struct metric *garbage;
};

/* One look-up. */
struct search {
	struct people_cache *cache;
	const struct context *ctx;
	const char *collection;
	const char *user_id;
	people_cache_load_fn *load;
	void *arg;
	uint64_t least;                        /* what is older does not count */
	unsigned changes;                      /* of the place, when the look-up began */
	char redis_key[PEOPLE_REDIS_KEY_SIZE]; /* "": Redis is not asked */
};

static struct metric *answers(struct metrics *metrics, const char *source)
{
	return metrics_counter(metrics, "facefleet_cache_lookups_total",
			       "Look-ups in front of something slower, by who answered.",
			       (const char *const[]){"cache", "people", "answer", source, NULL});
}

struct people_cache *people_cache_new(const struct people_cache_settings *settings)
{
	struct people_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->settings = *settings;
	pthread_mutex_init(&cache->lock, NULL);
	cache->from_process = answers(settings->metrics, "process");
	cache->from_redis = answers(settings->metrics, "redis");
	cache->from_store = answers(settings->metrics, "store");
	cache->garbage = metrics_counter(settings->metrics, "facefleet_cache_garbage_total",
					 "What a shared cache held and nobody could have meant.",
					 (const char *const[]){"cache", "people", NULL});
	cache->lru = lru_new(settings->max_bytes);
	cache->flights = single_flight_new();
	cache->untold = people_untold_new(PEOPLE_CACHE_MAX_UNTOLD);
	if (!cache->lru || !cache->flights || !cache->untold) {
		people_cache_free(cache);
		return NULL;
	}
	return cache;
}

void people_cache_free(struct people_cache *cache)
{
	if (!cache)
		return;
	lru_free(cache->lru);
	single_flight_free(cache->flights);
	people_untold_free(cache->untold);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* --- in the process --- */

static int make_key(const char *collection, const char *user_id, struct buffer *key)
{
	int r = buffer_append(key, collection, strlen(collection) + 1);

	return r < 0 ? r : buffer_append(key, user_id, strlen(user_id));
}

/* The entry of a key; one that is not there has version 0. */
static void look(struct people_cache *cache, const struct buffer *key, struct people_person *out)
{
	struct buffer entry cleanup_with(buffer_finish) = {0};

	*out = (struct people_person){0};
	if (lru_get(cache->lru, key->data, key->size, &entry) == 0 &&
	    people_entry_read(entry.data, entry.size, out) < 0)
		*out = (struct people_person){0};
}

/* FNV-1a */
static atomic_uint *place_of(struct people_cache *cache, const struct buffer *key)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < key->size; i++)
		hash = (hash ^ key->data[i]) * 16777619u;
	return &cache->changes[hash % PLACES];
}

/* Unless something as good or newer is known. A version alone says what no longer counts. With the lock held. */
static void put(struct people_cache *cache, const struct buffer *key, const struct people_person *person, int64_t ttl_s)
{
	struct buffer entry cleanup_with(buffer_finish) = {0};
	struct people_person known;

	if (people_entry_write(person, &entry) < 0) {
		lru_remove(cache->lru, key->data, key->size);
		return;
	}
	look(cache, key, &known);
	/* Without room for it nothing is kept, which is as good. */
	if (known.version < person->version || (known.version == person->version && known.count == 0))
		(void)!lru_put(cache->lru, key->data, key->size, entry.data, entry.size, ttl_s * 1000);
	people_finish(&known);
}

static bool has_changed(const struct search *s, const struct buffer *key)
{
	return atomic_load(place_of(s->cache, key)) != s->changes;
}

static void keep(const struct search *s, const struct buffer *key, const struct people_person *person, int64_t ttl_s)
{
	pthread_mutex_lock(&s->cache->lock);
	if (!has_changed(s, key))
		put(s->cache, key, person, ttl_s);
	pthread_mutex_unlock(&s->cache->lock);
}

void people_cache_changed(struct people_cache *cache, const char *collection, const char *user_id, uint64_t version)
{
	const struct people_person newest = {.version = version};
	struct buffer key cleanup_with(buffer_finish) = {0};

	/* Better nothing than what is too old. */
	if (make_key(collection, user_id, &key) < 0) {
		lru_clear(cache->lru);
		return;
	}
	pthread_mutex_lock(&cache->lock);
	atomic_fetch_add(place_of(cache, &key), 1);
	put(cache, &key, &newest, PEOPLE_CACHE_TTL_S);
	pthread_mutex_unlock(&cache->lock);
}

/* --- in Redis --- */

static void ask_redis(const struct search *s, struct people_person *out)
{
	const struct people_cache_settings *settings = &s->cache->settings;

	*out = (struct people_person){0};
	if (s->redis_key[0] &&
	    people_redis_get(settings->redis, s->ctx, s->redis_key, settings->dimension, out) == -EBADMSG)
		metric_add(s->cache->garbage, 1);
}

bool people_cache_tell(struct people_cache *cache, const struct context *ctx, const char *collection,
		       const char *user_id, uint64_t version)
{
	const struct people_person newest = {.version = version};
	char key[PEOPLE_REDIS_KEY_SIZE];

	people_cache_changed(cache, collection, user_id, version);
	if (!cache->settings.redis || people_redis_key(collection, user_id, cache->settings.model_id, key) == 0)
		return true;
	if (people_redis_put(cache->settings.redis, ctx, key, &newest) == 0)
		return true;
	people_untold_add(cache->untold, key, version);
	return false;
}

unsigned people_cache_catch_up(struct people_cache *cache, const struct context *ctx)
{
	struct people_change change;
	bool told = true;

	/* Not more than there are now: others may add as fast as this takes. */
	for (unsigned left = people_untold_count(cache->untold); left > 0 && told; left--) {
		if (!people_untold_take(cache->untold, &change))
			break;
		told = people_redis_put(cache->settings.redis, ctx, change.key,
					&(struct people_person){.version = change.version}) == 0;
		if (!told)
			people_untold_add(cache->untold, change.key, change.version);
		free(change.key);
	}
	return people_untold_count(cache->untold);
}

/* --- all of it --- */

/* What the store says goes to Redis, unless it may have been overtaken meanwhile. */
static int ask_store(const struct search *s, const struct buffer *key, struct people_person *out, struct error *err)
{
	int64_t start_ms = clock_monotonic_ms();
	int r = s->load(s->arg, s->collection, s->user_id, out, err);

	if (r < 0)
		return r;
	metric_add(s->cache->from_store, 1);
	/* That Redis does not get it costs time, and has been counted. */
	if (out->count > 0 && s->redis_key[0] && !has_changed(s, key) && clock_monotonic_ms() - start_ms <= MAX_LOAD_MS)
		(void)!people_redis_put(s->cache->settings.redis, s->ctx, s->redis_key, out);
	return 0;
}

/* Redis, then the store; `out` gets the entry. */
static int find_elsewhere(void *arg, struct buffer *out, struct error *err)
{
	const struct search *s = arg;
	struct buffer key cleanup_with(buffer_finish) = {0};
	struct people_person person = {0};
	int64_t ttl_s = PEOPLE_CACHE_REDIS_TTL_S;
	int r = 0;

	if (make_key(s->collection, s->user_id, &key) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a person");
	ask_redis(s, &person);
	if (person.count > 0 && person.version >= s->least) {
		metric_add(s->cache->from_redis, 1);
	} else {
		people_finish(&person);
		ttl_s = PEOPLE_CACHE_TTL_S;
		r = ask_store(s, &key, &person, err);
	}
	if (r == 0 && people_entry_write(&person, out) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a person");
	if (r == 0 && person.count > 0)
		keep(s, &key, &person, ttl_s);
	people_finish(&person);
	return r;
}

int people_cache_find(struct people_cache *cache, const struct context *ctx, const char *collection,
		      const char *user_id, people_cache_load_fn *load, void *arg, struct people_person *out,
		      struct error *err)
{
	struct search search = {
	    .cache = cache, .ctx = ctx, .collection = collection, .user_id = user_id, .load = load, .arg = arg};
	struct buffer key cleanup_with(buffer_finish) = {0};
	struct buffer entry cleanup_with(buffer_finish) = {0};

	if (make_key(collection, user_id, &key) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a key");
	search.changes = atomic_load(place_of(cache, &key));
	look(cache, &key, out);
	if (out->count > 0) {
		metric_add(cache->from_process, 1);
		return 0;
	}
	search.least = out->version;
	people_finish(out);
	if (cache->settings.redis &&
	    people_redis_key(collection, user_id, cache->settings.model_id, search.redis_key) == 0)
		search.redis_key[0] = '\0';
	/* What was on its way before a change must not answer who asks after it. */
	if (buffer_append(&key, &search.changes, sizeof(search.changes)) < 0 ||
	    buffer_append(&key, &search.least, sizeof(search.least)) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a key");
	int r = single_flight_do(ctx, cache->flights, key.data, key.size, find_elsewhere, &search, &entry, NULL, err);
	if (r == 0 && people_entry_read(entry.data, entry.size, out) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a person");
	return r;
}
