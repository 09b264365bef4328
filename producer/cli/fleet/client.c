#include "cli/fleet/client.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/settings.h"
#include "amqp/topology.h"
#include "base/clock.h"
#include "base/queue.h"
#include "base/uuid.h"
#include "cli/output/escape.h"
#include "obs/log.h"

/* Replies held between the connection's thread and the main thread. */
#define REPLY_PREFETCH 200
/* How long the reply queue waits for its reader to come back from a broken connection. */
#define REPLY_QUEUE_EXPIRES_MS (INT64_C(60) * 60 * 1000)

/* One of the two connections. */
struct line {
	struct client *client;
	struct amqp_link *link;
	atomic_bool faulted;
	struct error fault;
	struct client_ticket ticket;
};

/* A delivery on its way to the main thread. */
struct arrival {
	struct client_ticket ticket;
	struct amqp_delivery *delivery;
};

struct client {
	struct line jobs;
	struct line replies;  /* link is NULL without a reply queue */
	struct queue *events; /* of struct client_ticket */
	size_t room_for_replies;
	char reply_queue[ENVELOPE_SHORT_SIZE];
	struct reply reply; /* what the last CLIENT_REPLY spoke of */
	bool has_reply;
	char trouble[ESCAPE_SIZE];
};

/* The event queue has a place for everything that is ever in it: see client_open(). */
static void push(struct client *client, struct client_ticket *ticket, enum client_event_kind kind, void *subject)
{
	ticket->kind = kind;
	ticket->event.subject = subject;
	int r = queue_push(client->events, ticket, 0);
	assert(r == 0);
}

static void on_fatal(void *arg, const struct error *err)
{
	struct line *line = arg;

	if (atomic_exchange(&line->faulted, true))
		return;
	line->fault = *err;
	line->ticket.event.error = &line->fault;
	push(line->client, &line->ticket, CLIENT_FAULT, NULL);
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct client_ticket *ticket = arg;

	ticket->event.outcome = outcome;
	ticket->event.nacked = NULL;
	if (outcome == AMQP_NACKED)
		ticket->event.nacked = amqp_message_copy(message, message->exchange, message->routing_key);
	push(ticket->client, ticket, CLIENT_OUTCOME, ticket->event.subject);
}

/* Replies may not take the places that outcomes need; the broker keeps what finds none. */
static void on_delivery(void *arg, struct amqp_delivery *delivery)
{
	struct client *client = arg;
	struct arrival *arrival = NULL;

	if (queue_length(client->events) < client->room_for_replies)
		arrival = calloc(1, sizeof(*arrival));
	if (!arrival) {
		amqp_link_settle(client->replies.link, delivery->tag, AMQP_REQUEUE);
		amqp_delivery_free(delivery);
		return;
	}
	arrival->delivery = delivery;
	push(client, &arrival->ticket, CLIENT_REPLY, arrival);
}

static int open_jobs(struct client *client, const struct client_settings *settings, struct error *err)
{
	const struct amqp_link_settings link = {
	    .name = "facefleet",
	    .topology = TOPOLOGY_JOBS,
	    .publish_backlog = settings->tickets,
	    .on_fatal = on_fatal,
	    .arg = &client->jobs,
	};

	return amqp_link_new_from_config(&client->jobs.link, &link, settings->config, err);
}

static int open_replies(struct client *client, const struct client_settings *settings, struct error *err)
{
	const struct amqp_link_settings link = {
	    .name = "facefleet replies",
	    .publish_backlog = settings->tickets,
	    .on_fatal = on_fatal,
	    .arg = &client->replies,
	};
	struct amqp_consumer_settings consumer = {
	    .queue = client->reply_queue,
	    .prefetch = REPLY_PREFETCH,
	    .own_queue_expires_ms = REPLY_QUEUE_EXPIRES_MS,
	    .on_delivery = on_delivery,
	    .arg = client,
	};
	char id[UUID_SIZE];

	uuid_v7(id);
	snprintf(client->reply_queue, sizeof(client->reply_queue), "facefleet.cli.%s", id);
	int r = amqp_link_new_from_config(&client->replies.link, &link, settings->config, err);
	if (r < 0)
		return r;
	r = amqp_link_add_consumer(client->replies.link, &consumer);
	return r < 0 ? error_set(err, ERROR_INTERNAL, "the reply queue cannot be set up: %s", strerror(-r)) : 0;
}

static int start(struct client *client, const struct client_settings *settings, struct error *err)
{
	int r = open_jobs(client, settings, err);

	if (r == 0 && settings->replies)
		r = open_replies(client, settings, err);
	if (r == 0)
		r = amqp_link_start(client->jobs.link, err);
	if (r == 0 && settings->replies)
		r = amqp_link_start(client->replies.link, err);
	return r;
}

int client_open(struct client **out, const struct client_settings *settings, int64_t timeout_ms, struct error *err)
{
	struct client *client = calloc(1, sizeof(*client));
	int64_t until = clock_monotonic_ms() + timeout_ms;

	if (!client)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	client->jobs.client = client;
	client->replies.client = client;
	client->room_for_replies = 2 * REPLY_PREFETCH;
	/* Replies keep to their room, every ticket is in the queue once at most, and each line faults once. */
	client->events = queue_new(client->room_for_replies + settings->tickets + 2);
	int r = client->events ? start(client, settings, err) : error_set(err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		r = amqp_link_wait_ready(client->jobs.link, timeout_ms, err);
	if (r == 0 && settings->replies) {
		int64_t left = until - clock_monotonic_ms();
		r = amqp_link_wait_ready(client->replies.link, left > 0 ? left : 0, err);
	}
	if (r < 0) {
		client_free(client);
		return r;
	}
	*out = client;
	return 0;
}

const char *client_reply_queue(const struct client *client)
{
	return client->reply_queue;
}

void client_post(struct client *client, struct client_ticket *ticket, void *subject)
{
	push(client, ticket, CLIENT_POSTED, subject);
}

int client_send(struct client *client, struct amqp_message *message, struct client_ticket *ticket, void *subject)
{
	ticket->client = client;
	ticket->event.subject = subject;
	return amqp_link_publish(client->jobs.link, message, on_outcome, ticket);
}

/* Decodes a delivery; whoever knows the queue's name can put anything there. */
static int read_reply(const struct amqp_delivery *delivery, struct reply *reply, struct error *err)
{
	enum encoding encoding;
	char shown[ESCAPE_SIZE];

	if (strcmp(delivery->envelope.type, ENVELOPE_TYPE_REPLY) != 0)
		return error_set(err, ERROR_INVALID_JOB, "its type is \"%s\"",
				 escape_text(delivery->envelope.type, shown, sizeof(shown)));
	if (encoding_from_content_type(delivery->envelope.content_type, &encoding) < 0)
		return error_set(err, ERROR_INVALID_JOB, "its content type is \"%s\"",
				 escape_text(delivery->envelope.content_type, shown, sizeof(shown)));
	return reply_decode(reply, encoding, delivery->body, delivery->body_size, err);
}

static bool take_reply(struct client *client, struct arrival *arrival)
{
	struct amqp_delivery *delivery = arrival->delivery;
	struct error err = {0};

	if (client->has_reply)
		reply_finish(&client->reply);
	client->has_reply = read_reply(delivery, &client->reply, &err) == 0;
	if (!client->has_reply)
		log_warning(NULL, "ignored a message that is no reply", LOG_ERROR_FIELDS(&err));
	amqp_link_settle(client->replies.link, delivery->tag, AMQP_ACK);
	amqp_delivery_free(delivery);
	free(arrival);
	return client->has_reply;
}

enum client_event_kind client_next(struct client *client, int64_t timeout_ms, struct client_event *event)
{
	int64_t until = clock_monotonic_ms() + timeout_ms;
	int64_t left = timeout_ms;

	do {
		struct client_ticket *ticket = queue_pop(client->events, left);
		if (!ticket)
			break;
		*event = ticket->event;
		if (ticket->kind != CLIENT_REPLY)
			return ticket->kind;
		event->reply = &client->reply;
		if (take_reply(client, ticket->event.subject))
			return CLIENT_REPLY;
		left = until - clock_monotonic_ms();
	} while (left > 0);
	return CLIENT_NOTHING;
}

void client_health(struct client *client, struct client_health *out)
{
	struct amqp_link_status jobs;
	struct amqp_link_status replies = {.consuming = true};
	const struct amqp_link_status *bad = NULL;

	amqp_link_status(client->jobs.link, &jobs);
	if (client->replies.link)
		amqp_link_status(client->replies.link, &replies);
	*out = (struct client_health){.connected = jobs.connected, .listening = replies.consuming};
	if (!jobs.connected)
		bad = &jobs;
	else if (!replies.consuming)
		bad = &replies;
	if (bad) {
		char shown[sizeof(bad->last_error.text) * 4];
		snprintf(client->trouble, sizeof(client->trouble), "no broker: %s",
			 escape_text(bad->last_error.text, shown, sizeof(shown)));
		out->trouble = client->trouble;
	} else if (jobs.blocked) {
		out->trouble = "the broker takes no messages (memory or disk alarm)";
	}
}

/* What came out of the threads and was not asked for any more. */
static void drop_events(struct client *client)
{
	struct client_ticket *ticket;

	while ((ticket = queue_pop(client->events, 0))) {
		if (ticket->kind == CLIENT_REPLY) {
			struct arrival *arrival = ticket->event.subject;
			amqp_delivery_free(arrival->delivery);
			free(arrival);
		} else if (ticket->kind == CLIENT_OUTCOME) {
			amqp_message_free(ticket->event.nacked);
		}
	}
}

void client_free(struct client *client)
{
	if (!client)
		return;
	amqp_link_free(client->jobs.link);
	amqp_link_free(client->replies.link);
	if (client->events)
		drop_events(client);
	queue_free(client->events);
	if (client->has_reply)
		reply_finish(&client->reply);
	free(client);
}
