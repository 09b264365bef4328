#ifndef GATEWAY_RATE_LIMIT_H
#define GATEWAY_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

/*
 * How often somebody may ask: a token bucket for each name. There are at most so many buckets; the one that was not
 * asked for the longest time goes first, and is full when its owner comes back. So keep those who have a key and those
 * who have none in limiters of their own: the crowd then pushes out only itself. Any thread; one lock, held briefly.
 */

struct rate_limit;

/** Holds at most `max_buckets` (≥ 1), whose memory is taken at once. NULL when memory is out. */
struct rate_limit *rate_limit_new(size_t max_buckets) must_check;
void rate_limit_free(struct rate_limit *limit);

struct rate {
	double per_second; /**< above 0 */
	double burst;      /**< at once, at least 1 */
};

/** What a client may be told: RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After. */
struct rate_verdict {
	bool allowed;
	int64_t retry_after_ms; /**< when not allowed: until the next one is; otherwise 0 */
	unsigned limit;         /**< requests at once */
	unsigned remaining;     /**< of those, now */
	int64_t reset_ms;       /**< until all of them are there again */
};

/** The longest name; what is longer is cut. */
#define RATE_LIMIT_NAME_SIZE 48

/** Takes one token out of the bucket `name`, or says when there is one. `now_ms` is monotonic. */
void rate_limit_take(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms,
		     struct rate_verdict *verdict);

/** The same, and takes nothing: whether there is a token. */
void rate_limit_look(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms,
		     struct rate_verdict *verdict);

/** The name for somebody without a key: an IPv4 address, or the first 64 bits of an IPv6 address. */
void rate_limit_name_address(const struct sockaddr *address, char out[RATE_LIMIT_NAME_SIZE]);

#endif
