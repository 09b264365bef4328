/* Removing what matches a pattern, over a connection of its own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cache/redis_private.h"

/* Of one SCAN: somewhat more than the COUNT may come, far more when a table grows meanwhile. */
enum { MAX_SCANNED = 65536, MAX_CURSOR = 20, BATCH = 500 };

struct sweep {
	struct redis_link link;
	const struct redis_url *url;
	int64_t deadline_ns;
	uint64_t removed;
	char cursor[MAX_CURSOR + 1];
};

static int refused(const struct sweep *s, const char *what, const char *why, struct error *err)
{
	return error_set(err, ERROR_CONNECTION, "Redis at %s:%u: %s: %s", s->url->host, (unsigned)s->url->port, what,
			 why);
}

/* A reply of this type, or an error. */
static int ask(struct sweep *s, const struct redis_argument *arguments, unsigned count, int type, redisReply **reply,
	       struct error *err)
{
	const char *what = arguments[0].data;
	char text[128];
	int r = redis_link_exchange(&s->link, arguments, count, s->deadline_ns, -1, reply);

	if (r < 0)
		return refused(s, what, strerror_r(-r, text, sizeof(text)), err);
	if ((*reply)->type == type)
		return 0;
	if ((*reply)->type == REDIS_REPLY_ERROR)
		redis_wire_error_word(*reply, text);
	else
		snprintf(text, sizeof(text), "an answer that is none");
	freeReplyObject(*reply);
	return refused(s, what, text, err);
}

static int unlink_batch(struct sweep *s, struct redisReply *const *keys, size_t count, struct error *err)
{
	struct redis_argument arguments[1 + BATCH] = {{"UNLINK", 6}};
	redisReply *reply;

	for (size_t i = 0; i < count; i++)
		arguments[1 + i] = (struct redis_argument){keys[i]->str, keys[i]->len};
	int r = ask(s, arguments, 1 + (unsigned)count, REDIS_REPLY_INTEGER, &reply, err);
	if (r < 0)
		return r;
	if (reply->integer > 0)
		s->removed += (uint64_t)reply->integer;
	freeReplyObject(reply);
	return 0;
}

/* [cursor, [key, …]] */
static bool is_scan(const redisReply *reply)
{
	if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING || reply->element[0]->len == 0 ||
	    reply->element[0]->len > MAX_CURSOR || reply->element[1]->type != REDIS_REPLY_ARRAY)
		return false;
	const redisReply *keys = reply->element[1];
	for (size_t i = 0; i < keys->elements; i++)
		if (keys->element[i]->type != REDIS_REPLY_STRING)
			return false;
	return true;
}

static int step(struct sweep *s, const char *pattern, struct error *err)
{
	const struct redis_argument arguments[] = {{"SCAN", 4},  {s->cursor, strlen(s->cursor)},
						   {"MATCH", 5}, {pattern, strlen(pattern)},
						   {"COUNT", 5}, {"1000", 4}};
	redisReply *reply;
	int r = ask(s, arguments, array_size(arguments), REDIS_REPLY_ARRAY, &reply, err);

	if (r < 0)
		return r;
	if (is_scan(reply)) {
		const redisReply *keys = reply->element[1];
		snprintf(s->cursor, sizeof(s->cursor), "%s", reply->element[0]->str);
		for (size_t i = 0; i < keys->elements && r == 0; i += BATCH) {
			size_t left = keys->elements - i;
			r = unlink_batch(s, keys->element + i, left < BATCH ? left : BATCH, err);
		}
	} else {
		r = refused(s, "SCAN", "an answer that is none", err);
	}
	freeReplyObject(reply);
	return r;
}

int redis_forget(struct redis *redis, const char *pattern, int64_t timeout_ms, uint64_t *removed, struct error *err)
{
	struct sweep s = {.link.fd = -1, .url = &redis->url, .cursor = "0"};

	s.deadline_ns = clock_monotonic_ns() + timeout_ms * 1000000;
	int r = redis_link_open(&s.link, s.url, s.deadline_ns, -1, err);
	if (r < 0)
		return r;
	s.link.reader.max_elements = MAX_SCANNED;
	do
		r = step(&s, pattern, err);
	while (r == 0 && strcmp(s.cursor, "0") != 0);
	redis_link_close(&s.link);
	if (r == 0 && removed)
		*removed = s.removed;
	return r;
}

int redis_quote_glob(const char *literal, char *out, size_t size)
{
	size_t length = 0;

	for (; *literal; literal++) {
		bool special = strchr("*?[]\\", *literal) != NULL;
		if (length + 1 + special >= size)
			return -EMSGSIZE;
		if (special)
			out[length++] = '\\';
		out[length++] = *literal;
	}
	if (length >= size)
		return -EMSGSIZE;
	out[length] = '\0';
	return 0;
}
