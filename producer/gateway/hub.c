#include "hub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "recent.h"

#define HEARTBEAT_MS 15000

/* What is sent when there is nothing to say. The first one makes the headers go out. */
static const char comment[] = ": \n\n";

struct listener {
	TAILQ_ENTRY(listener) entry;
	uint64_t number;
	struct http_stream *stream;
	struct visitor visitor;
	char task_id[UUID_SIZE]; /* "": all */
	int64_t rank;            /* of the last state sent, for one task */
	int64_t written_ms;
};

struct hub {
	pthread_mutex_t lock;
	TAILQ_HEAD(listeners, listener) listeners;
	uint64_t last_number;
	unsigned count; /* with places reserved */
	unsigned max;
	struct metric *open;
	struct metric *cut;
};

struct hub *hub_new(unsigned max_streams, struct metrics *metrics)
{
	struct hub *hub = calloc(1, sizeof(*hub));

	if (!hub)
		return NULL;
	hub->max = max_streams;
	TAILQ_INIT(&hub->listeners);
	pthread_mutex_init(&hub->lock, NULL);
	hub->open = metrics_gauge(metrics, "facefleet_gateway_streams", "Streams of events that are open.", NULL);
	hub->cut = metrics_counter(metrics, "facefleet_gateway_streams_lost_total",
				   "Streams whose client left or read too slowly.", NULL);
	return hub;
}

void hub_free(struct hub *hub)
{
	if (!hub)
		return;
	hub_end_all(hub);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

bool hub_reserve(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	bool room = hub->count < hub->max;
	if (room)
		metric_set(hub->open, ++hub->count);
	pthread_mutex_unlock(&hub->lock);
	return room;
}

/* Under the lock. */
static void give_back(struct hub *hub)
{
	metric_set(hub->open, --hub->count);
}

void hub_give_back(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	give_back(hub);
	pthread_mutex_unlock(&hub->lock);
}

/* --- under the lock ----------------------------------------------------------------------------- */

static void drop(struct hub *hub, struct listener *listener)
{
	TAILQ_REMOVE(&hub->listeners, listener, entry);
	http_stream_end(listener->stream);
	free(listener);
	give_back(hub);
}

/* Writes, or drops the listener. */
static void write_to(struct hub *hub, struct listener *listener, const void *bytes, size_t size, bool last)
{
	bool lost = http_stream_write(listener->stream, bytes, size) != 0;

	listener->written_ms = clock_monotonic_ms();
	if (lost)
		metric_add(hub->cut, 1);
	if (lost || last)
		drop(hub, listener);
}

static void tell(struct hub *hub, struct listener *listener, const struct hub_event *event, const struct buffer *text)
{
	int64_t rank = recent_rank(event->state, event->attempt);
	bool one = listener->task_id[0] != '\0';

	if (one && rank <= listener->rank)
		return;
	listener->rank = one ? rank : -1;
	write_to(hub, listener, text->data, text->size, one && rank == INT64_MAX);
}

static bool wants(const struct listener *listener, const struct hub_event *event)
{
	return (listener->task_id[0] == '\0' || strcmp(listener->task_id, event->task_id) == 0) &&
	       visitor_sees(&listener->visitor, event->owner);
}

/* ---------------------------------------------------------------------------------------------------- */

uint64_t hub_add(struct hub *hub, struct http_stream *stream, const struct visitor *visitor, const char *task_id)
{
	struct listener *listener = stream ? calloc(1, sizeof(*listener)) : NULL;
	uint64_t number;

	if (!listener) {
		http_stream_end(stream);
		hub_give_back(hub);
		return 0;
	}
	listener->stream = stream;
	listener->visitor = *visitor;
	listener->rank = -1;
	listener->written_ms = clock_monotonic_ms();
	snprintf(listener->task_id, sizeof(listener->task_id), "%s", task_id);
	pthread_mutex_lock(&hub->lock);
	number = listener->number = ++hub->last_number;
	TAILQ_INSERT_TAIL(&hub->listeners, listener, entry);
	write_to(hub, listener, comment, sizeof(comment) - 1, false);
	pthread_mutex_unlock(&hub->lock);
	return number;
}

static int write_text(const struct hub_event *event, struct buffer *text)
{
	int r = buffer_printf(text, "id: %s/%d/%s\nevent: %s\ndata: ", event->task_id, event->attempt,
			      task_state_name(event->state), task_state_name(event->state));

	if (r == 0)
		r = buffer_append(text, event->json, event->size);
	return r == 0 ? buffer_append(text, "\n\n", 2) : r;
}

/* `number` 0: everybody. */
static void send_to(struct hub *hub, uint64_t number, const struct hub_event *event)
{
	struct buffer text = {0};
	struct listener *listener;

	pthread_mutex_lock(&hub->lock);
	listener = TAILQ_FIRST(&hub->listeners);
	if (listener && write_text(event, &text) != 0)
		listener = NULL;
	while (listener) {
		struct listener *next = TAILQ_NEXT(listener, entry);

		if ((number == 0 || listener->number == number) && wants(listener, event))
			tell(hub, listener, event, &text);
		listener = next;
	}
	pthread_mutex_unlock(&hub->lock);
	buffer_finish(&text);
}

void hub_publish(struct hub *hub, const struct hub_event *event)
{
	send_to(hub, 0, event);
}

void hub_show(struct hub *hub, uint64_t number, const struct hub_event *event)
{
	if (number != 0)
		send_to(hub, number, event);
}

void hub_end(struct hub *hub, uint64_t number)
{
	pthread_mutex_lock(&hub->lock);
	struct listener *listener = TAILQ_FIRST(&hub->listeners);
	while (listener && listener->number != number)
		listener = TAILQ_NEXT(listener, entry);
	if (listener)
		drop(hub, listener);
	pthread_mutex_unlock(&hub->lock);
}

void hub_end_all(struct hub *hub)
{
	pthread_mutex_lock(&hub->lock);
	while (!TAILQ_EMPTY(&hub->listeners))
		drop(hub, TAILQ_FIRST(&hub->listeners));
	pthread_mutex_unlock(&hub->lock);
}

void hub_tick(struct hub *hub, int64_t now_ms)
{
	struct listener *listener;

	pthread_mutex_lock(&hub->lock);
	listener = TAILQ_FIRST(&hub->listeners);
	while (listener) {
		struct listener *next = TAILQ_NEXT(listener, entry);

		if (now_ms - listener->written_ms >= HEARTBEAT_MS)
			write_to(hub, listener, comment, sizeof(comment) - 1, false);
		listener = next;
	}
	pthread_mutex_unlock(&hub->lock);
}
