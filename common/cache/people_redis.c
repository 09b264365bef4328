#include "cache/people_redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cache/people_cache.h"
#include "cache/people_entry.h"

/*
 * Replaces what is there unless that is newer (or, for a version alone, just as new): by the images given, or by the
 * version alone. Whatever else lies under the key is overwritten. One that is not there must not be deleted first:
 * after its first change a script may go on beyond maxmemory.
 */
static const char script[] = "local v = redis.pcall('HGET', KEYS[1], 'version')\n"
			     "if type(v) == 'string' and #v <= 19 and string.find(v, '^[1-9]%d*$') then\n"
			     "  if #v > #ARGV[1] or (#v == #ARGV[1] and v > ARGV[1]) then return 0 end\n"
			     "  if v == ARGV[1] and #ARGV == 2 then return 0 end\n"
			     "end\n"
			     "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end\n"
			     "redis.call('HSET', KEYS[1], 'version', ARGV[1], unpack(ARGV, 3))\n"
			     "redis.call('EXPIRE', KEYS[1], ARGV[2])\n"
			     "return 1\n";

/* --- keys --- */

/* Percent-encodes; so no part has a colon, nor anything that means something in a pattern. */
static int put_part(struct buffer *out, const char *part)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	int r = 0;

	for (; *part && r == 0; part++) {
		if (strchr(plain, *part))
			r = buffer_append(out, part, 1);
		else
			r = buffer_printf(out, "%%%02X", (unsigned char)*part);
	}
	return r;
}

/* NULL: a star, of a pattern. */
static size_t write_key(const char *const parts[3], char key[PEOPLE_REDIS_KEY_SIZE])
{
	struct buffer text cleanup_with(buffer_finish) = {.limit = PEOPLE_REDIS_KEY_SIZE - 1};
	int r = buffer_append(&text, "face", 4);

	for (int i = 0; i < 3 && r == 0; i++) {
		r = buffer_append(&text, ":", 1);
		if (r == 0)
			r = parts[i] ? put_part(&text, parts[i]) : buffer_append(&text, "*", 1);
	}
	if (r < 0)
		return 0;
	memcpy(key, text.data, text.size + 1);
	return text.size;
}

size_t people_redis_key(const char *collection, const char *user_id, const char *model_id,
			char key[PEOPLE_REDIS_KEY_SIZE])
{
	return write_key((const char *const[]){collection, user_id, model_id}, key);
}

int people_cache_pattern(const char *collection, const char *user_id, char pattern[PEOPLE_CACHE_PATTERN_SIZE])
{
	_Static_assert(PEOPLE_CACHE_PATTERN_SIZE == PEOPLE_REDIS_KEY_SIZE, "a pattern is as long as a key");
	return write_key((const char *const[]){collection, user_id, NULL}, pattern) > 0 ? 0 : -EMSGSIZE;
}

/* --- values --- */

struct hash_reader {
	int dimension;
	int result;
	struct people_person *out;
};

static bool read_hash(void *arg, const struct redisReply *reply)
{
	struct hash_reader *reader = arg;

	/* Garbage under a key is nothing against the connection. */
	reader->result = people_entry_read_hash(reply, reader->dimension, reader->out);
	return true;
}

int people_redis_get(struct redis *redis, const struct context *ctx, const char *key, int dimension,
		     struct people_person *out)
{
	const struct redis_argument arguments[] = {{"HGETALL", 7}, {key, strlen(key)}};
	struct hash_reader reader = {.dimension = dimension, .out = out};

	*out = (struct people_person){0};
	int r = redis_command(redis, ctx, arguments, array_size(arguments), read_hash, &reader);
	return r < 0 ? r : reader.result;
}

static bool is_integer(void *arg, const struct redisReply *reply)
{
	(void)arg;
	return reply->type == REDIS_REPLY_INTEGER;
}

int people_redis_put(struct redis *redis, const struct context *ctx, const char *key,
		     const struct people_person *person)
{
	struct redis_argument arguments[6 + 2 * PEOPLE_MAX_IMAGES];
	char fields[PEOPLE_MAX_IMAGES][2 + UUID_SIZE];
	char version[24], ttl[16];
	unsigned count = 0;

	arguments[count++] = (struct redis_argument){"EVAL", 4};
	arguments[count++] = (struct redis_argument){script, sizeof(script) - 1};
	arguments[count++] = (struct redis_argument){"1", 1};
	arguments[count++] = (struct redis_argument){key, strlen(key)};
	arguments[count++] =
	    (struct redis_argument){version, (size_t)snprintf(version, sizeof(version), "%" PRIu64, person->version)};
	arguments[count++] = (struct redis_argument){ttl, (size_t)snprintf(ttl, sizeof(ttl), "%d", PEOPLE_CACHE_TTL_S)};
	for (unsigned i = 0; i < person->count; i++) {
		int length = snprintf(fields[i], sizeof(fields[i]), "e:%s", person->image_ids[i]);

		arguments[count++] = (struct redis_argument){fields[i], (size_t)length};
		arguments[count++] = (struct redis_argument){person->embeddings + (size_t)i * person->dimension,
							     (size_t)person->dimension * sizeof(float)};
	}
	return redis_command(redis, ctx, arguments, count, is_integer, NULL);
}
