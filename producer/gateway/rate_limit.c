#include "gateway/rate_limit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name_table.h"

/* Waits are never said to be longer. */
#define MAX_WAIT_MS (24 * 3600 * 1000.0)

struct bucket {
	double tokens;
	int64_t filled_ms;
};

struct rate_limit {
	pthread_mutex_t lock;
	struct name_table *buckets;
};

struct rate_limit *rate_limit_new(size_t max_buckets)
{
	struct rate_limit *limit = calloc(1, sizeof(*limit));

	if (!limit)
		return NULL;
	limit->buckets = name_table_new(max_buckets, RATE_LIMIT_NAME_SIZE, sizeof(struct bucket));
	if (!limit->buckets) {
		free(limit);
		return NULL;
	}
	pthread_mutex_init(&limit->lock, NULL);
	return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_destroy(&limit->lock);
	name_table_free(limit->buckets);
	free(limit);
}

/* The bucket of that name; a new one is full. */
static struct bucket *bucket_of(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms)
{
	bool is_new;
	struct bucket *bucket = name_table_get(limit->buckets, name, &is_new);

	if (is_new)
		*bucket = (struct bucket){.tokens = rate->burst, .filled_ms = now_ms};
	return bucket;
}

static void fill(struct bucket *bucket, const struct rate *rate, int64_t now_ms)
{
	if (now_ms > bucket->filled_ms) {
		bucket->tokens += (double)(now_ms - bucket->filled_ms) * rate->per_second / 1000;
		bucket->filled_ms = now_ms;
	}
	/* Also when the burst was made smaller. */
	if (bucket->tokens > rate->burst)
		bucket->tokens = rate->burst;
}

/* How long `missing` tokens take. */
static int64_t wait_ms(double missing, const struct rate *rate)
{
	double ms = ceil(missing * 1000 / rate->per_second);

	return missing <= 0 ? 0 : (int64_t)(ms < MAX_WAIT_MS ? ms : MAX_WAIT_MS);
}

static void take(struct bucket *bucket, double tokens, const struct rate *rate, struct rate_verdict *verdict)
{
	*verdict = (struct rate_verdict){.allowed = bucket->tokens >= 1, .limit = (unsigned)rate->burst};
	if (verdict->allowed)
		bucket->tokens -= tokens;
	else
		verdict->retry_after_ms = wait_ms(1 - bucket->tokens, rate);
	verdict->remaining = (unsigned)bucket->tokens;
	verdict->reset_ms = wait_ms(rate->burst - bucket->tokens, rate);
}

static void fill_and_take(struct rate_limit *limit, const char *name, double tokens, const struct rate *rate,
			  int64_t now_ms, struct rate_verdict *verdict)
{
	assert(rate->per_second > 0 && rate->burst >= 1);
	pthread_mutex_lock(&limit->lock);
	struct bucket *bucket = bucket_of(limit, name, rate, now_ms);
	fill(bucket, rate, now_ms);
	take(bucket, tokens, rate, verdict);
	pthread_mutex_unlock(&limit->lock);
}

void rate_limit_take(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms,
		     struct rate_verdict *verdict)
{
	fill_and_take(limit, name, 1, rate, now_ms, verdict);
}

void rate_limit_look(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms,
		     struct rate_verdict *verdict)
{
	fill_and_take(limit, name, 0, rate, now_ms, verdict);
}

void rate_limit_name_address(const struct sockaddr *address, char out[RATE_LIMIT_NAME_SIZE])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
	char text[INET6_ADDRSTRLEN] = "elsewhere";

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
	} else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, text, sizeof(text));
	} else if (address->sa_family == AF_INET6) {
		/* Whoever has one address of such a network has all of them. */
		struct in6_addr network = six->sin6_addr;
		memset(network.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &network, text, sizeof(text));
	}
	snprintf(out, RATE_LIMIT_NAME_SIZE, "%s", text);
}
