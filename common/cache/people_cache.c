#include "cache/people_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cache/lru.h"
#include "cache/meters.h"
#include "cache/newest.h"
#include "cache/people_entry.h"
#include "cache/people_redis.h"
#include "cache/single_flight.h"

struct people_cache {
	struct people_cache_settings settings;
	struct newest *newest; /* what every copy is held against */
	struct lru *lru;
	struct single_flight *flights;
	struct cache_meters meters;
};

/* One look-up. */
struct search {
	struct people_cache *cache;
	const struct context *ctx;
	const char *collection;
	const char *user_id;
	people_cache_load_fn *load;
	void *arg;
	int64_t start_ns;
	uint64_t least;                        /* what is older does not count */
	struct buffer key;                     /* in the process */
	char redis_key[PEOPLE_REDIS_KEY_SIZE]; /* "": Redis has no say */
};

struct people_cache *people_cache_new(const struct people_cache_settings *settings)
{
	struct people_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->settings = *settings;
	cache_meters_init(&cache->meters, settings->metrics, "people", "store");
	cache->newest = newest_new();
	cache->lru = lru_new(settings->max_bytes);
	cache->flights = single_flight_new();
	if (!cache->newest || !cache->lru || !cache->flights) {
		people_cache_free(cache);
		return NULL;
	}
	return cache;
}

void people_cache_free(struct people_cache *cache)
{
	if (!cache)
		return;
	newest_free(cache->newest);
	lru_free(cache->lru);
	single_flight_free(cache->flights);
	free(cache);
}

int people_cache_know(struct people_cache *cache, const char *collection, const char *user_id, uint64_t version)
{
	return newest_raise(cache->newest, collection, user_id, version);
}

/* --- in the process --- */

static int make_key(const struct search *s, struct buffer *key)
{
	int r = buffer_append(key, s->collection, strlen(s->collection) + 1);

	return r < 0 ? r : buffer_append(key, s->user_id, strlen(s->user_id));
}

/* Looked at once more by who is to ask elsewhere: another may have landed since the first look. */
static bool look(const struct search *s, struct people_person *out)
{
	struct buffer entry cleanup_with(buffer_finish) = {0};

	if (lru_get(s->cache->lru, s->key.data, s->key.size, &entry) < 0 ||
	    people_entry_read(entry.data, entry.size, out) < 0)
		return false;
	if (out->version >= s->least) {
		cache_meters_answered(&s->cache->meters, CACHE_PROCESS, s->start_ns);
		return true;
	}
	people_finish(out);
	return false;
}

/* What has become too old on its way would be refused when it is looked at; and may push out what is newer. */
static void keep(const struct search *s, uint64_t version, const struct buffer *entry)
{
	if (version < newest_of(s->cache->newest, s->collection, s->user_id))
		return;
	/* Without room for it nothing is kept, which is as good. */
	(void)!lru_put(s->cache->lru, s->key.data, s->key.size, entry->data, entry->size, PEOPLE_CACHE_TTL_S * 1000);
}

/* --- in Redis --- */

static bool ask_redis(const struct search *s, struct people_person *out)
{
	const struct people_cache_settings *settings = &s->cache->settings;

	if (!s->redis_key[0])
		return false;
	int r = people_redis_get(settings->redis, s->ctx, s->redis_key, settings->dimension, out);
	if (r == -EBADMSG)
		cache_meters_garbage(&s->cache->meters);
	if (r == 0 && out->count > 0 && out->version >= s->least)
		return true;
	people_finish(out);
	return false;
}

void people_cache_tell(struct people_cache *cache, const struct context *ctx, const char *collection,
		       const char *user_id, uint64_t version)
{
	const struct people_person newest = {.version = version};
	char key[PEOPLE_REDIS_KEY_SIZE];

	/* Whoever is not told of it has to find out by the versions they know. */
	if (cache->settings.redis && people_redis_key(collection, user_id, cache->settings.model_id, key) > 0)
		(void)!people_redis_put(cache->settings.redis, ctx, key, &newest);
}

/* --- all of it --- */

static int ask_store(const struct search *s, struct people_person *out, struct error *err)
{
	int r = s->load(s->arg, s->collection, s->user_id, out, err);

	if (r < 0)
		return r;
	cache_meters_answered(&s->cache->meters, CACHE_SOURCE, s->start_ns);
	/* That Redis does not get it costs time, and has been counted. */
	if (out->count > 0 && s->redis_key[0])
		(void)!people_redis_put(s->cache->settings.redis, s->ctx, s->redis_key, out);
	return 0;
}

static int ask_elsewhere(const struct search *s, struct people_person *out, struct error *err)
{
	if (!ask_redis(s, out))
		return ask_store(s, out, err);
	cache_meters_answered(&s->cache->meters, CACHE_REDIS, s->start_ns);
	return 0;
}

/* Redis, then the store; `out` gets the entry. */
static int find_elsewhere(void *arg, struct buffer *out, struct error *err)
{
	const struct search *s = arg;
	struct people_person person = {0};
	bool has_landed = look(s, &person);
	int r = has_landed ? 0 : ask_elsewhere(s, &person, err);

	if (r == 0 && people_entry_write(&person, out) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a person");
	if (r == 0 && person.count > 0 && !has_landed)
		keep(s, person.version, out);
	people_finish(&person);
	return r;
}

static int find(struct search *s, struct people_person *out, struct error *err)
{
	struct buffer flight cleanup_with(buffer_finish) = {0};
	struct buffer entry cleanup_with(buffer_finish) = {0};

	/* What was on its way before a change must not answer who asks after it. */
	if (make_key(s, &s->key) < 0 || make_key(s, &flight) < 0 ||
	    buffer_append(&flight, &s->least, sizeof(s->least)) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a key");
	if (look(s, out))
		return 0;
	int r =
	    single_flight_do(s->ctx, s->cache->flights, flight.data, flight.size, find_elsewhere, s, &entry, NULL, err);
	if (r == 0 && people_entry_read(entry.data, entry.size, out) < 0)
		r = error_set(err, ERROR_INTERNAL, "no memory for a person");
	return r;
}

int people_cache_find(struct people_cache *cache, const struct context *ctx, const char *collection,
		      const char *user_id, people_cache_load_fn *load, void *arg, struct people_person *out,
		      struct error *err)
{
	struct search search = {
	    .cache = cache,
	    .ctx = ctx,
	    .collection = collection,
	    .user_id = user_id,
	    .load = load,
	    .arg = arg,
	    .start_ns = clock_monotonic_ns(),
	    .least = newest_of(cache->newest, collection, user_id),
	};

	*out = (struct people_person){0};
	/* Of somebody who was never seen, Redis may hold what was there before this process began. */
	if (!cache->settings.redis || search.least == 0 ||
	    people_redis_key(collection, user_id, cache->settings.model_id, search.redis_key) == 0)
		search.redis_key[0] = '\0';
	int r = find(&search, out, err);
	buffer_finish(&search.key);
	return r;
}
