#include "http/client.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "http/schedule.h"
#include "http/transfer.h"

#define DEFAULT_CONNECTIONS 256
#define DEFAULT_CONNECT_TIMEOUT_MS 5000
/* Longest time the thread sleeps although nothing is due. */
#define IDLE_WAIT_MS 60000
/* Handles kept for reuse; the connections themselves live in the multi handle. */
#define SPARE_HANDLES 64

struct http_client {
	pthread_t thread;
	char name[16];
	char *user_agent;
	const struct address_policy *policy;
	int64_t connect_timeout_ms;
	CURLM *multi;
	atomic_size_t in_flight;

	pthread_mutex_t lock;
	struct transfer *submitted; /* under the lock, newest first, linked by `next` */
	bool stopping;              /* under the lock */

	/* The thread's own. */
	struct schedule *schedule;
	struct transfer *transfers; /* every request that is not done, linked both ways */
	int64_t next_deadline_ms;   /* no request's deadline is earlier */
	CURL *spare[SPARE_HANDLES];
	size_t spare_count;
};

static void keep_handle(struct http_client *client, CURL *easy)
{
	if (client->spare_count == SPARE_HANDLES) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	client->spare[client->spare_count++] = easy;
}

/* Takes a transfer out of everything and frees it; its done function was called. */
static void drop(struct http_client *client, struct transfer *t)
{
	*(t->previous ? &t->previous->next : &client->transfers) = t->next;
	if (t->next)
		t->next->previous = t->previous;
	schedule_remove(client->schedule, &t->entry);
	if (t->easy) {
		curl_multi_remove_handle(client->multi, t->easy);
		keep_handle(client, t->easy);
	}
	transfer_free(t);
	atomic_fetch_sub(&client->in_flight, 1);
}

static void abandon(struct http_client *client, struct transfer *t, enum http_outcome outcome, const char *why)
{
	transfer_abandon(t, outcome, why);
	drop(client, t);
}

static void accept_transfer(struct http_client *client, struct transfer *t)
{
	t->previous = NULL;
	t->next = client->transfers;
	if (t->next)
		t->next->previous = t;
	client->transfers = t;
	if (t->deadline_ms < client->next_deadline_ms)
		client->next_deadline_ms = t->deadline_ms;
	if (t->url_fault == -EPROTONOSUPPORT)
		abandon(client, t, HTTP_REFUSED, "the URL is neither http nor https");
	else if (t->url_fault < 0)
		abandon(client, t, HTTP_REFUSED, "the URL is malformed");
	else if (schedule_add(client->schedule, &t->entry, t->origin) < 0)
		abandon(client, t, HTTP_FAILED, "out of memory");
}

/* Returns false when the client is to end. */
static bool accept_submitted(struct http_client *client)
{
	struct transfer *oldest_first = NULL;

	pthread_mutex_lock(&client->lock);
	struct transfer *newest = client->submitted;
	bool stopping = client->stopping;
	client->submitted = NULL;
	pthread_mutex_unlock(&client->lock);

	while (newest) {
		struct transfer *t = newest;
		newest = t->next;
		t->next = oldest_first;
		oldest_first = t;
	}
	while (oldest_first) {
		struct transfer *t = oldest_first;
		oldest_first = t->next;
		accept_transfer(client, t);
	}
	return !stopping;
}

static void start(struct http_client *client, struct transfer *t)
{
	CURL *easy = client->spare_count > 0 ? client->spare[--client->spare_count] : curl_easy_init();
	int r = easy ? transfer_prepare(t, easy, client->user_agent, client->connect_timeout_ms) : -ENOMEM;

	if (r == 0 && curl_multi_add_handle(client->multi, easy) == CURLM_OK)
		return;
	t->easy = NULL;
	curl_easy_cleanup(easy);
	abandon(client, t, HTTP_FAILED, "out of memory");
}

static void start_all_that_may(struct http_client *client)
{
	struct schedule_entry *entry;

	/* The entry is a transfer's first member. */
	while ((entry = schedule_next(client->schedule)))
		start(client, (struct transfer *)entry);
}

static void finish_all_that_ended(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct transfer *t = NULL;
		CURLcode result = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		transfer_finish(t, result);
		drop(client, t);
	}
}

static void end_all_that_expired(struct http_client *client)
{
	int64_t now = clock_monotonic_ms();

	if (now < client->next_deadline_ms)
		return;
	client->next_deadline_ms = INT64_MAX;
	for (struct transfer *t = client->transfers, *next; t; t = next) {
		next = t->next;
		if (t->deadline_ms <= now)
			abandon(client, t, HTTP_TIMED_OUT, "no complete answer in time");
		else if (t->deadline_ms < client->next_deadline_ms)
			client->next_deadline_ms = t->deadline_ms;
	}
}

static void wait_for_events(struct http_client *client)
{
	int64_t wait = client->next_deadline_ms - clock_monotonic_ms();

	if (wait > IDLE_WAIT_MS)
		wait = IDLE_WAIT_MS;
	/* Returns at once where a transfer was just added. */
	curl_multi_poll(client->multi, NULL, 0, wait > 0 ? (int)wait : 0, NULL);
}

static void *run(void *arg)
{
	struct http_client *client = arg;

	thread_set_name("%s", client->name);
	while (accept_submitted(client)) {
		int running;

		start_all_that_may(client);
		wait_for_events(client);
		curl_multi_perform(client->multi, &running);
		finish_all_that_ended(client);
		end_all_that_expired(client);
	}
	while (client->transfers)
		abandon(client, client->transfers, HTTP_FAILED, "shutting down");
	return NULL;
}

static void initialise_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Frees a client whose thread does not run. */
static void destroy(struct http_client *client)
{
	while (client->spare_count > 0)
		curl_easy_cleanup(client->spare[--client->spare_count]);
	curl_multi_cleanup(client->multi);
	schedule_free(client->schedule);
	free(client->user_agent);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

static struct http_client *create(const struct http_client_settings *settings)
{
	unsigned connections = settings->max_connections ? settings->max_connections : DEFAULT_CONNECTIONS;
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	pthread_mutex_init(&client->lock, NULL);
	snprintf(client->name, sizeof(client->name), "%s", settings->name);
	client->policy = settings->policy;
	client->connect_timeout_ms =
	    settings->connect_timeout_ms ? settings->connect_timeout_ms : DEFAULT_CONNECT_TIMEOUT_MS;
	client->next_deadline_ms = INT64_MAX;
	client->user_agent = strdup(settings->user_agent);
	client->schedule = schedule_new(connections, settings->max_connections_per_host);
	client->multi = curl_multi_init();
	if (!client->user_agent || !client->schedule || !client->multi) {
		destroy(client);
		return NULL;
	}
	/* The schedule keeps requests below the limits; these bound the idle connections beside them. */
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)connections);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
	return client;
}

int http_client_new(struct http_client **out, const struct http_client_settings *settings, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, initialise_curl);
	struct http_client *client = create(settings);
	int r = client ? thread_start(&client->thread, run, client) : -ENOMEM;
	if (r < 0) {
		error_set(err, ERROR_INTERNAL, "cannot start the HTTP client: %s", strerror(-r));
		if (client)
			destroy(client);
		return r;
	}
	*out = client;
	return 0;
}

int http_client_submit(struct http_client *client, const struct http_request *request)
{
	struct transfer *t = transfer_new(request, client->policy);
	int r = 0;

	if (!t)
		return -ENOMEM;
	pthread_mutex_lock(&client->lock);
	if (client->stopping) {
		r = -ESHUTDOWN;
	} else {
		atomic_fetch_add(&client->in_flight, 1);
		t->next = client->submitted;
		client->submitted = t;
	}
	pthread_mutex_unlock(&client->lock);
	if (r < 0)
		transfer_free(t);
	else
		curl_multi_wakeup(client->multi);
	return r;
}

size_t http_client_in_flight(struct http_client *client)
{
	return atomic_load(&client->in_flight);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client->lock);
	client->stopping = true;
	pthread_mutex_unlock(&client->lock);
	curl_multi_wakeup(client->multi);
	pthread_join(client->thread, NULL);
	destroy(client);
}
