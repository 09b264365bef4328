#include "gateway/rate_limit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/random.h"

/* Waits are never said to be longer. */
#define MAX_WAIT_MS (24 * 3600 * 1000.0)

struct bucket {
	char name[RATE_LIMIT_NAME_SIZE]; /* "": not in use */
	double tokens;
	int64_t filled_ms;
	LIST_ENTRY(bucket) chain;
	TAILQ_ENTRY(bucket) age;
};

LIST_HEAD(bucket_chain, bucket);

struct rate_limit {
	pthread_mutex_t lock;
	uint64_t seed;
	size_t chain_count;
	struct bucket_chain *chains;
	struct bucket *buckets;
	TAILQ_HEAD(bucket_ages, bucket) ages; /* the longest unused first */
};

struct rate_limit *rate_limit_new(size_t max_buckets)
{
	struct rate_limit *limit = calloc(1, sizeof(*limit));

	assert(max_buckets >= 1);
	if (!limit)
		return NULL;
	limit->chain_count = max_buckets;
	limit->chains = calloc(max_buckets, sizeof(*limit->chains));
	limit->buckets = calloc(max_buckets, sizeof(*limit->buckets));
	if (!limit->chains || !limit->buckets) {
		free(limit->chains);
		free(limit->buckets);
		free(limit);
		return NULL;
	}
	random_bytes(&limit->seed, sizeof(limit->seed));
	pthread_mutex_init(&limit->lock, NULL);
	TAILQ_INIT(&limit->ages);
	for (size_t i = 0; i < max_buckets; i++)
		TAILQ_INSERT_TAIL(&limit->ages, &limit->buckets[i], age);
	return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
	if (!limit)
		return;
	pthread_mutex_destroy(&limit->lock);
	free(limit->chains);
	free(limit->buckets);
	free(limit);
}

/* The bucket of that name; a new one, full, in the place of the one that was unused for the longest time. */
static struct bucket *bucket_of(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms)
{
	struct bucket_chain *chain = &limit->chains[hash_bytes(limit->seed, name, strlen(name)) % limit->chain_count];
	struct bucket *bucket;

	LIST_FOREACH(bucket, chain, chain)
	{
		if (strcmp(bucket->name, name) == 0)
			return bucket;
	}
	bucket = TAILQ_FIRST(&limit->ages);
	if (bucket->name[0] != '\0')
		LIST_REMOVE(bucket, chain);
	strcpy(bucket->name, name);
	bucket->tokens = rate->burst;
	bucket->filled_ms = now_ms;
	LIST_INSERT_HEAD(chain, bucket, chain);
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

static void take(struct bucket *bucket, const struct rate *rate, struct rate_verdict *verdict)
{
	*verdict = (struct rate_verdict){.allowed = bucket->tokens >= 1, .limit = (unsigned)rate->burst};
	if (verdict->allowed)
		bucket->tokens -= 1;
	else
		verdict->retry_after_ms = wait_ms(1 - bucket->tokens, rate);
	verdict->remaining = (unsigned)bucket->tokens;
	verdict->reset_ms = wait_ms(rate->burst - bucket->tokens, rate);
}

void rate_limit_take(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms,
		     struct rate_verdict *verdict)
{
	char cut[RATE_LIMIT_NAME_SIZE];

	assert(rate->per_second > 0 && rate->burst >= 1);
	/* A name is never empty here: that marks a bucket that is not in use. */
	snprintf(cut, sizeof(cut), "%s", name[0] != '\0' ? name : "-");
	pthread_mutex_lock(&limit->lock);
	struct bucket *bucket = bucket_of(limit, cut, rate, now_ms);
	TAILQ_REMOVE(&limit->ages, bucket, age);
	TAILQ_INSERT_TAIL(&limit->ages, bucket, age);
	fill(bucket, rate, now_ms);
	take(bucket, rate, verdict);
	pthread_mutex_unlock(&limit->lock);
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
