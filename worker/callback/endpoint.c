#include "endpoint.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

TAILQ_HEAD(endpoint_line, endpoint_place);

struct endpoint {
	LIST_ENTRY(endpoint) link;
	unsigned running;
	size_t waiting;
	struct endpoint_line line;
	char key[ENDPOINT_KEY_SIZE];
};

struct endpoints {
	LIST_HEAD(, endpoint) list;
	unsigned limit;
	size_t waiting;
	size_t running;
};

/* One part of the URL, lower case; false if it is missing or too long. */
static bool url_part(CURLU *url, CURLUPart part, char *out, size_t size)
{
	char *text = NULL;

	if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return false;
	size_t length = strlen(text);
	bool fits = length > 0 && length < size;
	for (size_t i = 0; fits && i <= length; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	curl_free(text);
	return fits;
}

int endpoint_key(const char *url, char out[ENDPOINT_KEY_SIZE], struct error *err)
{
	char scheme[sizeof("https")];
	char host[256];
	char port[sizeof("65535")];
	CURLU *parsed = curl_url();

	if (!parsed)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	bool good = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
		    url_part(parsed, CURLUPART_SCHEME, scheme, sizeof(scheme)) &&
		    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
		    url_part(parsed, CURLUPART_HOST, host, sizeof(host)) &&
		    url_part(parsed, CURLUPART_PORT, port, sizeof(port));
	curl_url_cleanup(parsed);
	if (!good)
		return error_set(err, ERROR_INVALID_JOB, "callback.url: not an http or https URL");
	snprintf(out, ENDPOINT_KEY_SIZE, "%s://%s:%s", scheme, host, port);
	return 0;
}

struct endpoints *endpoints_new(unsigned limit)
{
	struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

	assert(limit >= 1);
	if (!endpoints)
		return NULL;
	LIST_INIT(&endpoints->list);
	endpoints->limit = limit;
	return endpoints;
}

void endpoints_free(struct endpoints *endpoints)
{
	struct endpoint *endpoint;

	if (!endpoints)
		return;
	while ((endpoint = LIST_FIRST(&endpoints->list))) {
		LIST_REMOVE(endpoint, link);
		free(endpoint);
	}
	free(endpoints);
}

/* A walk over the list: there are at most as many endpoints as deliveries in hand. */
static struct endpoint *find_or_add(struct endpoints *endpoints, const char *key)
{
	struct endpoint *endpoint;

	LIST_FOREACH(endpoint, &endpoints->list, link)
	if (strcmp(endpoint->key, key) == 0)
		return endpoint;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return NULL;
	TAILQ_INIT(&endpoint->line);
	snprintf(endpoint->key, sizeof(endpoint->key), "%s", key);
	LIST_INSERT_HEAD(&endpoints->list, endpoint, link);
	return endpoint;
}

static void start(struct endpoints *endpoints, struct endpoint *endpoint, struct endpoint_place *place)
{
	place->running = true;
	endpoint->running++;
	endpoints->running++;
}

static void take_from_line(struct endpoints *endpoints, struct endpoint *endpoint, struct endpoint_place *place)
{
	TAILQ_REMOVE(&endpoint->line, place, link);
	endpoint->waiting--;
	endpoints->waiting--;
}

int endpoints_enter(struct endpoints *endpoints, struct endpoint_place *place, const char *key, int64_t now_ms)
{
	struct endpoint *endpoint = find_or_add(endpoints, key);

	assert(!place->endpoint);
	if (!endpoint)
		return -ENOMEM;
	place->endpoint = endpoint;
	place->since_ms = now_ms;
	place->running = false;
	if (endpoint->running < endpoints->limit) {
		start(endpoints, endpoint, place);
		return 0;
	}
	TAILQ_INSERT_TAIL(&endpoint->line, place, link);
	endpoint->waiting++;
	endpoints->waiting++;
	return 0;
}

struct endpoint_place *endpoints_leave(struct endpoints *endpoints, struct endpoint_place *place)
{
	struct endpoint *endpoint = place->endpoint;
	struct endpoint_place *next = NULL;

	assert(endpoint);
	if (place->running) {
		endpoint->running--;
		endpoints->running--;
		next = TAILQ_FIRST(&endpoint->line);
	} else {
		take_from_line(endpoints, endpoint, place);
	}
	place->endpoint = NULL;
	place->running = false;
	if (next) {
		take_from_line(endpoints, endpoint, next);
		start(endpoints, endpoint, next);
	}
	if (endpoint->running == 0 && endpoint->waiting == 0) {
		LIST_REMOVE(endpoint, link);
		free(endpoint);
	}
	return next;
}

struct endpoint_place *endpoints_shed(struct endpoints *endpoints, int64_t now_ms)
{
	struct endpoint *endpoint;

	LIST_FOREACH(endpoint, &endpoints->list, link)
	{
		/* As many may wait as run: the next round is at hand when a slow endpoint answers. */
		if (endpoint->waiting <= endpoints->limit ||
		    now_ms - TAILQ_FIRST(&endpoint->line)->since_ms < ENDPOINT_PATIENCE_MS)
			continue;
		struct endpoint_place *last = TAILQ_LAST(&endpoint->line, endpoint_line);
		take_from_line(endpoints, endpoint, last);
		last->endpoint = NULL;
		return last;
	}
	return NULL;
}

size_t endpoints_waiting(const struct endpoints *endpoints)
{
	return endpoints->waiting;
}

size_t endpoints_running(const struct endpoints *endpoints)
{
	return endpoints->running;
}
