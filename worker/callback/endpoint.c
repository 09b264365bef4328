#include "endpoint.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/url.h"

TAILQ_HEAD(endpoint_line, endpoint_place);

struct endpoint {
	LIST_ENTRY(endpoint) link;
	unsigned running;
	size_t waiting;
	struct endpoint_line line;
	char origin[HTTP_ORIGIN_SIZE];
};

struct endpoints {
	LIST_HEAD(, endpoint) list;
	unsigned limit;
	size_t waiting;
	size_t running;
};

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
static struct endpoint *find_or_add(struct endpoints *endpoints, const char *origin)
{
	struct endpoint *endpoint;

	LIST_FOREACH(endpoint, &endpoints->list, link)
	if (strcmp(endpoint->origin, origin) == 0)
		return endpoint;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return NULL;
	TAILQ_INIT(&endpoint->line);
	snprintf(endpoint->origin, sizeof(endpoint->origin), "%s", origin);
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

int endpoints_enter(struct endpoints *endpoints, struct endpoint_place *place, const char *origin, int64_t now_ms)
{
	struct endpoint *endpoint = find_or_add(endpoints, origin);

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

/* Starts the head of the line if there is one and it may run. */
static struct endpoint_place *start_first(struct endpoints *endpoints, struct endpoint *endpoint)
{
	struct endpoint_place *first = TAILQ_FIRST(&endpoint->line);

	if (!first || endpoint->running >= endpoints->limit)
		return NULL;
	take_from_line(endpoints, endpoint, first);
	start(endpoints, endpoint, first);
	return first;
}

void endpoints_set_limit(struct endpoints *endpoints, unsigned limit)
{
	assert(limit >= 1);
	endpoints->limit = limit;
}

struct endpoint_place *endpoints_start_next(struct endpoints *endpoints)
{
	struct endpoint_place *next = NULL;
	struct endpoint *endpoint;

	LIST_FOREACH(endpoint, &endpoints->list, link)
	if ((next = start_first(endpoints, endpoint)))
		break;
	return next;
}

struct endpoint_place *endpoints_leave(struct endpoints *endpoints, struct endpoint_place *place)
{
	struct endpoint *endpoint = place->endpoint;
	struct endpoint_place *next = NULL;

	assert(endpoint);
	if (place->running) {
		endpoint->running--;
		endpoints->running--;
		next = start_first(endpoints, endpoint);
	} else {
		take_from_line(endpoints, endpoint, place);
	}
	place->endpoint = NULL;
	place->running = false;
	if (endpoint->running == 0 && endpoint->waiting == 0) {
		LIST_REMOVE(endpoint, link);
		free(endpoint);
	}
	return next;
}

static struct endpoint_place *shed(struct endpoints *endpoints, struct endpoint *endpoint, struct endpoint_place *place)
{
	take_from_line(endpoints, endpoint, place);
	place->endpoint = NULL;
	return place;
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
		return shed(endpoints, endpoint, TAILQ_LAST(&endpoint->line, endpoint_line));
	}
	return NULL;
}

struct endpoint_place *endpoints_shed_overdue(struct endpoints *endpoints, int64_t now_ms)
{
	struct endpoint *endpoint;

	LIST_FOREACH(endpoint, &endpoints->list, link)
	{
		struct endpoint_place *first = TAILQ_FIRST(&endpoint->line);
		if (first && now_ms - first->since_ms >= ENDPOINT_LONGEST_MS)
			return shed(endpoints, endpoint, first);
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

const char *endpoint_origin(const struct endpoint_place *place)
{
	return place->endpoint->origin;
}
