#include "cache/photo_cache.h"

#include <hiredis/hiredis.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "cache/lru.h"
#include "cache/meters.h"
#include "cache/single_flight.h"

#define KEY_BYTES 32

struct photo_cache {
	size_t identity_size;
	char *identity;
	EVP_MAC_CTX *hmac; /* under the secret; copied for each key */
	char ttl_s[24];
	int64_t ttl_ms;
	struct redis *redis;
	struct lru *lru;
	struct single_flight *flights;
	struct cache_meters meters;
};

/* One look-up. */
struct search {
	struct photo_cache *cache;
	const struct context *ctx;
	const struct photo_cache_request *request;
	int64_t start_ns;
	uint8_t key[KEY_BYTES];
};

static EVP_MAC_CTX *make_hmac(const char *secret)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
				     OSSL_PARAM_construct_end()};
	uint8_t own[32];
	size_t size = strlen(secret);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *hmac = mac ? EVP_MAC_CTX_new(mac) : NULL;

	random_bytes(own, sizeof(own));
	if (hmac &&
	    !EVP_MAC_init(hmac, size > 0 ? (const uint8_t *)secret : own, size > 0 ? size : sizeof(own), params)) {
		EVP_MAC_CTX_free(hmac);
		hmac = NULL;
	}
	OPENSSL_cleanse(own, sizeof(own));
	EVP_MAC_free(mac);
	return hmac;
}

int photo_cache_new(struct photo_cache **out, const struct photo_cache_settings *settings, struct error *err)
{
	size_t secret_size = strlen(settings->secret);

	if (secret_size > 0 && secret_size < PHOTO_CACHE_MIN_SECRET)
		return error_set(err, ERROR_CONFIG, "cache.secret has %zu bytes, it needs %d or more", secret_size,
				 PHOTO_CACHE_MIN_SECRET);
	struct photo_cache *cache = calloc(1, sizeof(*cache));
	if (!cache)
		return error_set(err, ERROR_INTERNAL, "no memory for a cache");
	cache->identity = strdup(settings->identity);
	cache->identity_size = strlen(settings->identity);
	cache->ttl_ms = settings->ttl_s * 1000;
	cache->redis = secret_size > 0 ? settings->redis : NULL;
	cache->hmac = make_hmac(settings->secret);
	cache->lru = lru_new(settings->max_bytes);
	cache->flights = single_flight_new();
	snprintf(cache->ttl_s, sizeof(cache->ttl_s), "%lld", (long long)settings->ttl_s);
	cache_meters_init(&cache->meters, settings->metrics, "photos", "computing");
	if (!cache->identity || !cache->hmac || !cache->lru || !cache->flights) {
		photo_cache_free(cache);
		return error_set(err, ERROR_INTERNAL, "no memory for a cache");
	}
	*out = cache;
	return 0;
}

void photo_cache_free(struct photo_cache *cache)
{
	if (!cache)
		return;
	lru_free(cache->lru);
	single_flight_free(cache->flights);
	EVP_MAC_CTX_free(cache->hmac); /* forgets the secret */
	free(cache->identity);
	free(cache);
}

void photo_cache_forget(struct photo_cache *cache)
{
	lru_clear(cache->lru);
}

static int make_key(const struct photo_cache *cache, const struct photo_cache_request *request, uint8_t key[KEY_BYTES])
{
	EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(cache->hmac);
	size_t size = 0;
	bool made = hmac && EVP_MAC_update(hmac, (const uint8_t *)cache->identity, cache->identity_size + 1) &&
		    EVP_MAC_update(hmac, &request->variant, 1) && EVP_MAC_update(hmac, request->photo, request->size) &&
		    EVP_MAC_final(hmac, key, &size, KEY_BYTES) && size == KEY_BYTES;

	EVP_MAC_CTX_free(hmac);
	return made ? 0 : -1;
}

/* --- Redis --- */

#define REDIS_KEY_SIZE (6 + 2 * KEY_BYTES + 1)

static struct redis_argument redis_key(const struct search *s, char text[REDIS_KEY_SIZE])
{
	char *end = text + sprintf(text, "photo:");

	for (int i = 0; i < KEY_BYTES; i++)
		end += sprintf(end, "%02x", s->key[i]);
	return (struct redis_argument){text, (size_t)(end - text)};
}

struct reading {
	const struct search *search;
	struct buffer *out;
	bool found;
};

static bool read_value(void *arg, const struct redisReply *reply)
{
	struct reading *reading = arg;
	const struct photo_cache_request *request = reading->search->request;
	struct buffer value cleanup_with(buffer_finish) = {0};

	if (reply->type == REDIS_REPLY_NIL)
		return true;
	/* Garbage under a key is nothing against the connection. */
	if (reply->type != REDIS_REPLY_STRING || buffer_append(&value, reply->str, reply->len) < 0 ||
	    !request->is_valid(request->arg, &value))
		cache_meters_garbage(&reading->search->cache->meters);
	else
		reading->found = buffer_append(reading->out, value.data, value.size) == 0;
	return true;
}

static bool ask_redis(const struct search *s, struct buffer *out)
{
	struct reading reading = {.search = s, .out = out};
	char key[REDIS_KEY_SIZE];
	const struct redis_argument arguments[] = {{"GET", 3}, redis_key(s, key)};

	return redis_command(s->cache->redis, s->ctx, arguments, array_size(arguments), read_value, &reading) == 0 &&
	       reading.found;
}

static bool is_status(void *arg, const struct redisReply *reply)
{
	(void)arg;
	return reply->type == REDIS_REPLY_STATUS;
}

static void tell_redis(const struct search *s, const struct buffer *value)
{
	char key[REDIS_KEY_SIZE];
	const struct redis_argument arguments[] = {
	    {"SET", 3},
	    redis_key(s, key),
	    {value->data, value->size},
	    {"EX", 2},
	    {s->cache->ttl_s, strlen(s->cache->ttl_s)},
	};

	(void)!redis_command(s->cache->redis, s->ctx, arguments, array_size(arguments), is_status, NULL);
}

/* --- all of it --- */

/* In the process. Looked at once more by who is to compute: another may have landed since the first look. */
static bool look(const struct search *s, struct buffer *out)
{
	if (lru_get(s->cache->lru, s->key, sizeof(s->key), out) < 0)
		return false;
	cache_meters_answered(&s->cache->meters, CACHE_PROCESS, s->start_ns);
	return true;
}

/* Redis, then computing. */
static int find_elsewhere(void *arg, struct buffer *out, struct error *err)
{
	const struct search *s = arg;
	struct photo_cache *cache = s->cache;

	if (look(s, out))
		return 0;
	if (cache->redis && ask_redis(s, out)) {
		cache_meters_answered(&cache->meters, CACHE_REDIS, s->start_ns);
	} else {
		int r = s->request->compute(s->request->arg, out, err);
		if (r < 0)
			return r;
		cache_meters_answered(&cache->meters, CACHE_SOURCE, s->start_ns);
		if (cache->redis)
			tell_redis(s, out);
	}
	/* Without room for it nothing is kept, which is as good. */
	(void)!lru_put(cache->lru, s->key, sizeof(s->key), out->data, out->size, cache->ttl_ms);
	return 0;
}

int photo_cache_find(struct photo_cache *cache, const struct context *ctx, const struct photo_cache_request *request,
		     struct buffer *out, struct error *err)
{
	struct search search = {.cache = cache, .ctx = ctx, .request = request, .start_ns = clock_monotonic_ns()};

	if (make_key(cache, request, search.key) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a digest");
	if (look(&search, out))
		return 0;
	return single_flight_do(ctx, cache->flights, search.key, sizeof(search.key), find_elsewhere, &search, out, NULL,
				err);
}
