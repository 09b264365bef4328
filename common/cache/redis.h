#ifndef CACHE_REDIS_H
#define CACHE_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "obs/metrics.h"

/**
 * A Redis that may be there: a pool of connections, opened and looked after by a thread of its own, so that no caller
 * ever waits for a name, a connection or a login. A call takes an idle connection or fails at once; it never takes
 * longer than `timeout_ms` in all. What goes wrong with a connection closes it: another is opened in the background,
 * with jittered back-off. A server that keeps failing to answer in time is not asked for a second (a circuit breaker).
 */
struct redis;

#define REDIS_MAX_ARGUMENTS 512
#define REDIS_MAX_REPLY_BYTES (4u << 20) /**< what says more is garbage */
#define REDIS_MAX_ELEMENTS 1024          /**< of an array, however deep */

struct redis_settings {
	const char *url;         /**< redis://[[user]:password@]host[:port][/database]; copied, never logged whole */
	int64_t timeout_ms;      /**< of a call; 0 = 5 */
	unsigned connections;    /**< at most; 0 = 4 */
	struct metrics *metrics; /**< may be NULL; outlives the client */
};

/** Refuses (`config`) a URL of another kind, rediss:// among them. Otherwise starts, whether or not the server is
 * there. */
int redis_new(struct redis **out, const struct redis_settings *settings, struct error *err) must_check;

/** Nobody may be calling. Bounded by about 2 s (a name being resolved). NULL is fine. */
void redis_free(struct redis *redis);

/** True while a connection is open. */
bool redis_is_up(struct redis *redis);

struct redis_argument {
	const void *data;
	size_t size;
};

struct redisReply; /* hiredis */

/** Looks at a reply that is no error; false: it is not what was asked for (garbage; the connection is closed). */
typedef bool redis_reply_fn(void *arg, const struct redisReply *reply);

/**
 * Sends one command and has its reply looked at. Returns 0; -EAGAIN when there is no server, no idle connection or no
 * answer within `timeout_ms` or the context's own time; -EPROTO for garbage; -EREMOTEIO when the server answered with
 * an error (out of memory, read-only, loading …). Logs the first failure after a success and the return (once 5 s went
 * by without a failure), nothing in between. Any thread.
 */
int redis_command(struct redis *redis, const struct context *ctx, const struct redis_argument *arguments,
		  unsigned count, redis_reply_fn *fn, void *arg) must_check;

/**
 * Removes the keys that match a glob pattern; those that are written meanwhile may stay. Over a connection of its own,
 * also while the pool has none. Blocking, for at most `timeout_ms` and a name being resolved. `removed` may be NULL.
 * The errno of `err` (connection) when it could not be done to its end: some may be gone then.
 */
int redis_forget(struct redis *redis, const char *pattern, int64_t timeout_ms, uint64_t *removed,
		 struct error *err) must_check;

/** Writes `literal` as a pattern that matches nothing else. Returns 0, or -EMSGSIZE when `size` is too small. */
int redis_quote_glob(const char *literal, char *out, size_t size) must_check;

#endif
