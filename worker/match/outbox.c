#include "outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "job/event.h"
#include "obs/log.h"

/* Pause before what was refused is published again. */
#define REFUSED_PAUSE_MS 500

struct outbox {
	struct outbox_settings settings;
	pthread_mutex_t lock;
	struct task_part *refused; /* waiting to be published again */
	unsigned refusing;         /* parts refused at least once and not yet taken */
	int64_t publish_again_ms;  /* monotonic */
};

struct outbox *outbox_new(const struct outbox_settings *settings)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return NULL;
	outbox->settings = *settings;
	pthread_mutex_init(&outbox->lock, NULL);
	return outbox;
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	pthread_mutex_destroy(&outbox->lock);
	free(outbox);
}

bool outbox_refused(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->lock);
	bool refused = outbox->refusing > 0;
	pthread_mutex_unlock(&outbox->lock);
	return refused;
}

/* The envelope of everything said about a task: its id, its trace and the form of its body. */
static void fill_envelope(struct envelope *envelope, const struct task *task, const char *type, enum encoding encoding)
{
	snprintf(envelope->message_id, sizeof(envelope->message_id), "%s", task->ctx.task_id);
	snprintf(envelope->type, sizeof(envelope->type), "%s", type);
	snprintf(envelope->content_type, sizeof(envelope->content_type), "%s", encoding_content_type(encoding));
	trace_format(&task->ctx.trace, envelope->traceparent);
	memcpy(envelope->tracestate, task->ctx.tracestate, sizeof(envelope->tracestate));
	memcpy(envelope->owner, task->delivery->envelope.owner, sizeof(envelope->owner));
	envelope->accepted_ms = task->reply.accepted_at_ms;
	envelope->deadline_ms = task->end_to_end_unix_ms;
}

static void settle(struct outbox *outbox, struct task *task, enum amqp_settlement settlement)
{
	amqp_link_settle(task->source, task->delivery->tag, settlement);
	roster_remove(outbox->settings.roster, task);
}

static void part_done(struct outbox *outbox, struct task *task)
{
	if (atomic_fetch_sub(&task->parts_pending, 1) == 1)
		settle(outbox, task, AMQP_ACK);
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message);

static void publish_part(struct outbox *outbox, struct task_part *part, struct amqp_message *message)
{
	/* On failure the link is being freed or memory is out: the job stays unacked, so the broker
	 * gives it to somebody again when the connection closes. */
	if (amqp_link_publish(outbox->settings.publisher, message, on_outcome, part) < 0)
		log_error(NULL, "a reply could not be handed to the publisher");
}

static void refuse_part(struct outbox *outbox, struct task_part *part, enum amqp_outcome outcome,
			const struct amqp_message *message)
{
	struct amqp_message *again = amqp_message_copy(message, message->exchange, message->routing_key);

	log_warning(&part->task->ctx, "broker refused a message; consuming is paused until it takes it",
		    log_string("exchange", message->exchange), log_string("routing_key", message->routing_key),
		    log_string("outcome", outcome == AMQP_RETURNED ? "returned" : "nacked"));
	metric_add(outbox->settings.meters->replies_refused, 1);
	if (!again) {
		log_error(&part->task->ctx, "no memory to publish a refused message again");
		return;
	}
	pthread_mutex_lock(&outbox->lock);
	bool first = !part->refused && ++outbox->refusing == 1;
	part->refused = true;
	part->again = again;
	part->next = outbox->refused;
	outbox->refused = part;
	outbox->publish_again_ms = clock_monotonic_ms() + REFUSED_PAUSE_MS;
	pthread_mutex_unlock(&outbox->lock);
	if (first)
		outbox->settings.hold(outbox->settings.arg, true);
}

/* A part that had been refused was taken at last: consume again once it was the only one. */
static void forgive_part(struct outbox *outbox, struct task_part *part)
{
	pthread_mutex_lock(&outbox->lock);
	bool last = part->refused && --outbox->refusing == 0;
	part->refused = false;
	pthread_mutex_unlock(&outbox->lock);
	if (last)
		outbox->settings.hold(outbox->settings.arg, false);
}

static void on_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct task_part *part = arg;
	struct outbox *outbox = part->outbox;

	if (outcome == AMQP_ABANDONED)
		return; /* shutting down: the job stays unacked and is delivered again */
	if (part->required && outcome != AMQP_CONFIRMED) {
		refuse_part(outbox, part, outcome, message);
		return;
	}
	forgive_part(outbox, part);
	part_done(outbox, part->task);
}

void outbox_tick(struct outbox *outbox)
{
	struct task_part *part = NULL;

	pthread_mutex_lock(&outbox->lock);
	if (outbox->refused && clock_monotonic_ms() >= outbox->publish_again_ms) {
		part = outbox->refused;
		outbox->refused = NULL;
	}
	pthread_mutex_unlock(&outbox->lock);
	while (part) {
		struct task_part *next = part->next;
		struct amqp_message *message = part->again;
		part->again = NULL;
		part->next = NULL;
		publish_part(outbox, part, message);
		part = next;
	}
}

void outbox_event(struct outbox *outbox, const struct task *task, enum task_state state, int64_t next_attempt_at_ms)
{
	struct event event = {
	    .op = task->reply.op,
	    .has_op = task->reply.has_op,
	    .state = state,
	    .attempt = task->attempt,
	    .at_ms = clock_unix_ms(),
	    .next_attempt_at_ms = next_attempt_at_ms,
	};
	char key[ENVELOPE_SHORT_SIZE];
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	memcpy(event.task_id, task->ctx.task_id, sizeof(event.task_id));
	memcpy(event.user_id, task->reply.user_id, sizeof(event.user_id));
	memcpy(event.reference, task->reply.reference, sizeof(event.reference));
	memcpy(event.scene, task->reply.scene, sizeof(event.scene));
	snprintf(event.worker, sizeof(event.worker), "%s", outbox->settings.worker);
	if (state == TASK_FAILED || state == TASK_RETRYING)
		event.error = task->reply.error;
	event_routing_key(&event, key);
	if (event_encode(&event, &body) == 0)
		message = amqp_message_new(TOPOLOGY_EVENTS_EXCHANGE, key, &body);
	buffer_finish(&body);
	if (message) {
		fill_envelope(&message->envelope, task, ENVELOPE_TYPE_EVENT, ENCODING_JSON);
		if (amqp_link_publish(outbox->settings.publisher, message, NULL, NULL) == 0)
			return;
	}
	metric_add(outbox->settings.meters->events_dropped, 1);
}

/* What one task ends in: up to TASK_PARTS messages, gathered before the first is published, since
 * the task may be gone as soon as the last is. */
struct farewell {
	struct amqp_message *messages[TASK_PARTS];
	bool required[TASK_PARTS];
	int count;
};

static void add(struct farewell *farewell, struct amqp_message *message, bool required)
{
	farewell->messages[farewell->count] = message;
	farewell->required[farewell->count] = required;
	farewell->count++;
}

static void publish_all(struct outbox *outbox, struct task *task, struct farewell *farewell)
{
	bool complete = true;

	for (int i = 0; i < farewell->count; i++)
		complete = complete && farewell->messages[i];
	if (!complete) {
		log_error(&task->ctx, "no memory for a reply; the job goes back to the queue");
		for (int i = 0; i < farewell->count; i++)
			amqp_message_free(farewell->messages[i]);
		settle(outbox, task, AMQP_REQUEUE);
		return;
	}
	atomic_store(&task->parts_pending, farewell->count);
	for (int i = 0; i < farewell->count; i++) {
		task->parts[i].outbox = outbox;
		task->parts[i].task = task;
		task->parts[i].required = farewell->required[i];
	}
	for (int i = 0; i < farewell->count; i++)
		publish_part(outbox, &task->parts[i], farewell->messages[i]);
}

/* The reply for everyone who listens and, where somebody asked for it, the requester's own copy. */
static void add_reply(struct task *task, struct farewell *farewell)
{
	const struct envelope *asked = &task->delivery->envelope;
	struct reply *reply = &task->reply;
	char key[ENVELOPE_SHORT_SIZE];
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	reply_routing_key(reply, key);
	if (reply_encode(reply, task->encoding, &body) == 0)
		message = amqp_message_new(TOPOLOGY_REPLIES_EXCHANGE, key, &body);
	buffer_finish(&body);
	if (message) {
		fill_envelope(&message->envelope, task, ENVELOPE_TYPE_REPLY, task->encoding);
		snprintf(message->envelope.correlation_id, sizeof(message->envelope.correlation_id), "%s",
			 asked->correlation_id);
	}
	if (asked->reply_to[0]) {
		struct amqp_message *copy = message ? amqp_message_copy(message, "", asked->reply_to) : NULL;
		if (copy)
			copy->mandatory = true; /* a requester that left is seen at once */
		add(farewell, copy, false);
	}
	if (message && reply->callback_url[0]) {
		/* A callback that no queue takes would be lost: then the reply counts as refused. */
		message->mandatory = true;
		snprintf(message->envelope.callback_url, sizeof(message->envelope.callback_url), "%s",
			 reply->callback_url);
	}
	add(farewell, message, true);
}

static struct amqp_message *copy_of_job(const struct task *task, const char *exchange, const char *routing_key)
{
	const struct amqp_delivery *d = task->delivery;
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	/* What no publisher may send is parked without its body: the reason says why. */
	if (task_is_oversized(task) || buffer_append(&body, d->body, d->body_size) == 0)
		message = amqp_message_new(exchange, routing_key, &body);
	buffer_finish(&body);
	if (message) {
		message->envelope = d->envelope;
		/* The broker counts the deliveries of one message only. */
		message->envelope.suspect = task_is_suspect(task);
		message->mandatory = true;
	}
	return message;
}

static void finish_reply(struct outbox *outbox, struct task *task)
{
	struct reply *reply = &task->reply;

	reply->finished_at_ms = clock_unix_ms();
	timings_add(&reply->timings, STAGE_TOTAL, task_age_ms(task));
	meters_finished(outbox->settings.meters, task, reply->state);
}

static void send_reply(struct outbox *outbox, struct task *task)
{
	struct farewell farewell = {0};

	add_reply(task, &farewell);
	publish_all(outbox, task, &farewell);
}

void outbox_reply(struct outbox *outbox, struct task *task)
{
	finish_reply(outbox, task);
	send_reply(outbox, task);
}

void outbox_reply_again(struct outbox *outbox, struct task *task, struct reply *recorded)
{
	memcpy(recorded->callback_url, task->reply.callback_url, sizeof(recorded->callback_url));
	task->reply = *recorded;
	metric_add(outbox->settings.meters->answered_again, 1);
	log_info(&task->ctx, "answered before; the recorded reply is published again",
		 log_string("state", task_state_name(task->reply.state)));
	send_reply(outbox, task);
}

void outbox_reply_and_park(struct outbox *outbox, struct task *task, const char *reason)
{
	struct farewell farewell = {0};
	struct amqp_message *parked = copy_of_job(task, TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_PARKED_KEY);

	finish_reply(outbox, task);
	add_reply(task, &farewell);
	if (parked) {
		struct envelope *envelope = &parked->envelope;
		snprintf(envelope->reason, sizeof(envelope->reason), "%s", reason);
		snprintf(envelope->origin, sizeof(envelope->origin), "%s",
			 envelope->death_queue[0] ? envelope->death_queue : topology_lane_queue(task->lane));
	}
	add(&farewell, parked, true);
	publish_all(outbox, task, &farewell);
}

void outbox_retry(struct outbox *outbox, struct task *task, int64_t delay_ms)
{
	struct farewell farewell = {0};
	char queue[ENVELOPE_SHORT_SIZE];

	meters_finished(outbox->settings.meters, task, TASK_RETRYING);
	topology_retry_queue(task->lane == LANE_REALTIME ? TOPOLOGY_RETRY_REALTIME : TOPOLOGY_RETRY_BATCH, delay_ms,
			     queue);
	struct amqp_message *message = copy_of_job(task, "", queue);
	if (message) {
		message->envelope.attempt = task->attempt + 1;
		/* Counted from the first acceptance, also where no header said so. */
		message->envelope.accepted_ms = task->reply.accepted_at_ms;
		message->envelope.deadline_ms = task->end_to_end_unix_ms;
		trace_format(&task->ctx.trace, message->envelope.traceparent);
	}
	add(&farewell, message, true);
	publish_all(outbox, task, &farewell);
}
