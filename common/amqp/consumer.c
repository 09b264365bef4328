#include "amqp/consumer.h"

#include <stdio.h>
#include <string.h>

#include "amqp/frames.h"
#include "amqp/topology_declare.h"
#include "base/uuid.h"

#define RETRY_FIRST_MS 250
#define RETRY_MAX_MS 10000

void consumer_init(struct consumer *c, unsigned number, const struct amqp_consumer_settings *settings)
{
	*c = (struct consumer){
	    .number = number,
	    .own_queue_expires_ms = settings->own_queue_expires_ms,
	    .hears = settings->hears,
	    .hears_key = settings->hears_key ? settings->hears_key : "",
	    .hears_max = settings->hears_max,
	    .on_delivery = settings->on_delivery,
	    .arg = settings->arg,
	    .wanted = !settings->paused,
	    .prefetch = settings->prefetch,
	    .backoff = {.first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS},
	};
	snprintf(c->queue, sizeof(c->queue), "%s", settings->queue);
	snprintf(c->prefix, sizeof(c->prefix), "%s", settings->queue);
}

/* A name of its own for each connection: the broker may not have noticed yet that the last one is gone. */
static int declare_ear(struct consumer *c, struct connection *connection, struct error *err)
{
	struct topology_queue queue = {.exclusive = true, .arguments = {{.key = "x-queue-type", .text = "classic"}}};
	char id[UUID_SIZE];

	if (c->hears_max > 0) {
		queue.arguments[1] = (struct topology_argument){.key = "x-max-length", .number = c->hears_max};
		queue.arguments[2] = (struct topology_argument){.key = "x-overflow", .text = "drop-head"};
	}
	uuid_v7(id);
	snprintf(c->queue, sizeof(c->queue), "%s.%s", c->prefix, id);
	snprintf(queue.name, sizeof(queue.name), "%s", c->queue);
	const struct topology_binding binding = {.source = c->hears, .key = c->hears_key, .destination = c->queue};
	int r = topology_declare_queue(connection, &queue, err);
	return r < 0 ? r : topology_declare_binding(connection, &binding, err);
}

int consumer_declare_queue(struct consumer *c, struct connection *connection, struct error *err)
{
	if (c->hears)
		return declare_ear(c, connection, err);
	if (c->own_queue_expires_ms == 0)
		return 0;
	int found = c->own_queue_made ? topology_find_queue(connection, c->queue, err) : 1;
	if (found < 0)
		return found;
	if (found == 0)
		return error_set(err, ERROR_TOPOLOGY, "the broker has lost the queue %s and what was in it", c->queue);
	/* Durable and not exclusive, so that it outlives the broker's restart and this connection. */
	struct topology_queue queue = {
	    .arguments = {{.key = "x-queue-type", .text = "classic"},
			  {.key = "x-expires", .number = c->own_queue_expires_ms}},
	};
	snprintf(queue.name, sizeof(queue.name), "%s", c->queue);
	int r = topology_declare_queue(connection, &queue, err);
	c->own_queue_made = c->own_queue_made || r == 0;
	return r;
}

void consumer_delete_queue(struct consumer *c, struct connection *connection)
{
	amqp_queue_delete_t deletion = {.queue = amqp_cstring_bytes(c->queue), .nowait = true};

	if (c->own_queue_expires_ms > 0)
		(void)amqp_send_method(connection->state, CONNECTION_CHANNEL, AMQP_QUEUE_DELETE_METHOD, &deletion);
}

static int start(struct consumer *c, struct connection *connection, struct error *err)
{
	amqp_basic_qos_t qos = {.prefetch_count = c->goal_prefetch};

	frames_format_tag(c->tag, sizeof(c->tag), c->number, ++c->serial);
	amqp_basic_consume_t consume = {
	    .queue = amqp_cstring_bytes(c->queue),
	    .consumer_tag = amqp_cstring_bytes(c->tag),
	};
	/* The prefetch holds for consumers that start after it, so the pair must not be torn apart. */
	int r = connection_check_status(
	    amqp_send_method(connection->state, CONNECTION_CHANNEL, AMQP_BASIC_QOS_METHOD, &qos), "qos", err);
	if (r == 0)
		r = connection_check_status(
		    amqp_send_method(connection->state, CONNECTION_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &consume),
		    "consume", err);
	c->running_prefetch = c->goal_prefetch;
	c->state = CONSUMER_STARTING;
	return r;
}

static int stop(struct consumer *c, struct connection *connection, struct error *err)
{
	amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(c->tag)};

	c->state = CONSUMER_STOPPING;
	return connection_check_status(
	    amqp_send_method(connection->state, CONNECTION_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &cancel), "cancel", err);
}

bool consumer_is_due(const struct consumer *c, int64_t now_ms)
{
	return c->state == CONSUMER_IDLE && c->goal && now_ms >= c->retry_at_ms;
}

int consumer_step(struct consumer *c, struct connection *connection, int64_t now_ms, struct error *err)
{
	if (consumer_is_due(c, now_ms))
		return start(c, connection, err);
	if (c->state == CONSUMER_RUNNING && (!c->goal || c->goal_prefetch != c->running_prefetch))
		return stop(c, connection, err);
	return 0;
}

static bool is_mine(const struct consumer *c, amqp_bytes_t tag)
{
	return tag.len == strlen(c->tag) && memcmp(tag.bytes, c->tag, tag.len) == 0;
}

bool consumer_on_started(struct consumer *c, amqp_bytes_t tag, int64_t now_ms)
{
	if (!is_mine(c, tag))
		return false;
	if (c->state == CONSUMER_STARTING) {
		c->state = CONSUMER_RUNNING;
		c->running_since_ms = now_ms;
	}
	return true;
}

bool consumer_on_stopped(struct consumer *c, amqp_bytes_t tag)
{
	if (!is_mine(c, tag))
		return false;
	c->state = CONSUMER_IDLE;
	return true;
}

bool consumer_on_cancelled(struct consumer *c, amqp_bytes_t tag, int64_t now_ms)
{
	if (!is_mine(c, tag))
		return false;
	c->queue_lost = true;
	/* A cancel of our own that crossed this one is still answered. */
	if (c->state == CONSUMER_STOPPING)
		return true;
	if (c->state == CONSUMER_RUNNING && now_ms - c->running_since_ms > RETRY_MAX_MS)
		backoff_reset(&c->backoff);
	c->state = CONSUMER_IDLE;
	c->retry_at_ms = now_ms + backoff_next_ms(&c->backoff);
	return true;
}

void consumer_reset(struct consumer *c)
{
	c->state = CONSUMER_IDLE;
	c->retry_at_ms = 0;
	c->queue_lost = false;
}
