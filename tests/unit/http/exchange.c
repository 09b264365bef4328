#include "exchange.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run.h"

#define WAIT_MS 15000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialise(void)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attr);
	pthread_condattr_destroy(&attr);
}

static void record(void *arg, const struct http_response *response)
{
	struct exchange *exchange = arg;

	pthread_mutex_lock(&lock);
	exchange->response = *response;
	size_t size = response->body_size < sizeof(exchange->body) ? response->body_size : sizeof(exchange->body) - 1;
	memcpy(exchange->body, response->body, size);
	exchange->body[size] = '\0';
	exchange->response.body = (const uint8_t *)exchange->body;
	exchange->done++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

struct http_request exchange_request(struct exchange *exchange, const char *url)
{
	memset(exchange, 0, sizeof(*exchange));
	return (struct http_request){
	    .method = "GET", .url = url, .max_body = 1000, .timeout_ms = 10000, .done = record, .arg = exchange};
}

void exchange_submit(struct http_client *client, const struct http_request *request)
{
	pthread_once(&once, initialise);
	assert_int_equal(http_client_submit(client, request), 0);
}

bool exchange_is_done(struct exchange *exchange)
{
	pthread_mutex_lock(&lock);
	bool done = exchange->done > 0;
	pthread_mutex_unlock(&lock);
	return done;
}

void exchange_wait(struct exchange *exchange)
{
	struct timespec until = clock_timespec_in_ms(WAIT_MS);
	int r = 0;

	pthread_mutex_lock(&lock);
	while (exchange->done == 0 && r == 0)
		r = pthread_cond_timedwait(&changed, &lock, &until);
	unsigned done = exchange->done;
	pthread_mutex_unlock(&lock);
	assert_int_equal(done, 1);
}

void exchange_get(struct http_client *client, struct exchange *exchange, const char *url)
{
	struct http_request request = exchange_request(exchange, url);

	exchange_submit(client, &request);
	exchange_wait(exchange);
}

struct http_client *exchange_client(struct address_policy **policy, const char *allowed)
{
	struct http_client *client = NULL;
	struct error err;

	*policy = NULL;
	if (allowed)
		assert_int_equal(address_policy_new(policy, allowed, &err), 0);
	struct http_client_settings settings = {.name = "test", .user_agent = "facefleet-test", .policy = *policy};
	assert_int_equal(http_client_new(&client, &settings, &err), 0);
	return client;
}
