#include "cli/watch/traffic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/settings.h"
#include "amqp/topology.h"
#include "base/clock.h"
#include "job/event.h"

#define PREFETCH 500
#define MOST_WAITING 2000

struct traffic {
	struct amqp_link *link;
	int64_t since_ms;
	pthread_mutex_t lock;
	struct recent recent;
};

static void add(struct traffic *t, enum task_state state, const struct error *error, double total_ms)
{
	pthread_mutex_lock(&t->lock);
	recent_add(&t->recent, clock_monotonic_ms(), state, error->code, total_ms);
	pthread_mutex_unlock(&t->lock);
}

static void take_reply(struct traffic *t, const struct amqp_delivery *delivery)
{
	enum encoding encoding;
	struct reply reply;

	if (encoding_from_content_type(delivery->envelope.content_type, &encoding) < 0 ||
	    reply_decode(&reply, encoding, delivery->body, delivery->body_size, NULL) < 0)
		return;
	add(t, reply.state, &reply.error, reply.timings.ms[STAGE_TOTAL]);
	reply_finish(&reply);
}

static void take_event(struct traffic *t, const struct amqp_delivery *delivery)
{
	struct event event;

	if (event_decode(&event, delivery->body, delivery->body_size, NULL) == 0 && event.state == TASK_RETRYING)
		add(t, event.state, &event.error, -1);
}

static void on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct traffic *t = arg;

	if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_REPLY) == 0)
		take_reply(t, delivery);
	else if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_EVENT) == 0)
		take_event(t, delivery);
	amqp_link_settle(t->link, delivery->tag, AMQP_ACK);
	amqp_delivery_free(delivery);
}

static int open_link(struct traffic *t, const struct config *config, struct error *err)
{
	const struct amqp_link_settings settings = {.name = "facefleet traffic", .topology = TOPOLOGY_REPLIES};
	const struct amqp_consumer_settings consumer = {
	    .queue = "facefleet.cli.events",
	    .prefetch = PREFETCH,
	    .hears = TOPOLOGY_EVENTS_EXCHANGE,
	    .hears_key = "task.#",
	    .hears_max = MOST_WAITING,
	    .on_delivery = on_delivery,
	    .arg = t,
	};
	int r = amqp_link_new_from_config(&t->link, &settings, config, err);

	if (r < 0)
		return r;
	if (amqp_link_add_consumer(t->link, &consumer) < 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	return amqp_link_start(t->link, err);
}

int traffic_open(struct traffic **out, const struct config *config, int64_t timeout_ms, struct error *err)
{
	struct traffic *t = calloc(1, sizeof(*t));

	if (!t)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	int r = open_link(t, config, err);
	if (r == 0)
		r = amqp_link_wait_ready(t->link, timeout_ms, err);
	if (r < 0) {
		traffic_free(t);
		return r;
	}
	t->since_ms = clock_monotonic_ms();
	*out = t;
	return 0;
}

void traffic_summarise(struct traffic *traffic, int64_t window_ms, struct recent_summary *out)
{
	int64_t now = clock_monotonic_ms();
	int64_t listened_ms = now - traffic->since_ms;

	pthread_mutex_lock(&traffic->lock);
	recent_summarise(&traffic->recent, now, listened_ms < window_ms ? listened_ms + 1 : window_ms, out);
	pthread_mutex_unlock(&traffic->lock);
}

void traffic_free(struct traffic *traffic)
{
	if (!traffic)
		return;
	amqp_link_free(traffic->link);
	pthread_mutex_destroy(&traffic->lock);
	free(traffic);
}
