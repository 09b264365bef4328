#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "job/event.h"
#include "job/reply.h"

struct message *message_new(struct amqp_delivery *delivery, struct mailbox *box)
{
	struct message *message = calloc(1, sizeof(*message));

	if (!message)
		return NULL;
	message->letter.box = box;
	message->delivery = delivery;
	message->reply.limit = MESSAGE_MAX_REPLY;
	return message;
}

void message_free(struct message *message)
{
	if (!message)
		return;
	buffer_finish(&message->reply);
	amqp_delivery_free(message->delivery);
	free(message);
}

/* --- what the two kinds say --- */

static const char *op_name(bool has_op, enum job_op op)
{
	return has_op ? job_op_name(op) : "";
}

static void take_error(struct message *message, const struct error *error)
{
	memcpy(message->error_text, error->text, sizeof(message->error_text));
	message->change.error_code = error_is_set(error) ? error_code_name(error->code) : "";
}

static int read_event(struct message *message, struct error *err)
{
	const struct amqp_delivery *delivery = message->delivery;
	struct event event;
	int r = event_decode(&event, delivery->body, delivery->body_size, err);

	if (r < 0)
		return r;
	memcpy(message->task_id, event.task_id, sizeof(message->task_id));
	memcpy(message->user_id, event.user_id, sizeof(message->user_id));
	memcpy(message->reference, event.reference, sizeof(message->reference));
	memcpy(message->scene, event.scene, sizeof(message->scene));
	memcpy(message->worker, event.worker, sizeof(message->worker));
	take_error(message, &event.error);
	message->change.op = op_name(event.has_op, event.op);
	message->change.state = event.state;
	message->change.attempt = event.attempt;
	message->change.at_ms = event.at_ms;
	message->change.next_attempt_at_ms = event.next_attempt_at_ms;
	return 0;
}

static int take_reply(struct message *message, const struct reply *reply, struct error *err)
{
	memcpy(message->task_id, reply->task_id, sizeof(message->task_id));
	memcpy(message->user_id, reply->user_id, sizeof(message->user_id));
	memcpy(message->collection, reply->collection, sizeof(message->collection));
	memcpy(message->reference, reply->reference, sizeof(message->reference));
	memcpy(message->scene, reply->scene, sizeof(message->scene));
	memcpy(message->worker, reply->worker, sizeof(message->worker));
	take_error(message, &reply->error);
	message->change.op = op_name(reply->has_op, reply->op);
	message->change.state = reply->state;
	message->change.attempt = reply->attempt;
	message->change.at_ms = reply->finished_at_ms;
	message->change.accepted_at_ms = reply->accepted_at_ms;
	if (reply_encode_json_within(reply, MESSAGE_MAX_REPLY, &message->reply) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a reply");
	message->change.reply = message->reply.data;
	message->change.reply_size = message->reply.size;
	return 0;
}

static int read_reply(struct message *message, enum encoding encoding, struct error *err)
{
	const struct amqp_delivery *delivery = message->delivery;
	struct reply reply;
	int r = reply_decode(&reply, encoding, delivery->body, delivery->body_size, err);

	if (r < 0)
		return r;
	r = take_reply(message, &reply, err);
	reply_finish(&reply);
	return r;
}

/* --- what the envelope adds --- */

/* A header is bytes: the store wants text. */
static const char *owner_of(const struct envelope *envelope)
{
	return utf8_is_valid(envelope->owner, strlen(envelope->owner)) ? envelope->owner : "";
}

static int complete(struct message *message, struct error *err)
{
	const struct envelope *envelope = &message->delivery->envelope;
	struct task_change *change = &message->change;

	if (!uuid_is_valid(message->task_id))
		return error_set(err, ERROR_INVALID_JOB, "task_id: not a UUID");
	change->task_id = message->task_id;
	change->user_id = message->user_id;
	change->collection = message->collection;
	change->reference = message->reference;
	change->scene = message->scene;
	change->worker = message->worker;
	change->error_text = message->error_text;
	change->owner = owner_of(envelope);
	if (change->attempt < 1)
		change->attempt = envelope->attempt > 0 ? envelope->attempt : 1;
	if (change->at_ms <= 0)
		change->at_ms = message->delivery->received_unix_ms;
	if (envelope->accepted_ms > 0)
		change->accepted_at_ms = envelope->accepted_ms;
	if (envelope->deadline_ms > 0)
		change->deadline_ms = envelope->deadline_ms;
	return 0;
}

static int kind_of(const char *type, enum message_kind *kind)
{
	static const char *const types[MESSAGE_KIND_COUNT] = {
	    [MESSAGE_EVENT] = ENVELOPE_TYPE_EVENT,
	    [MESSAGE_REPLY] = ENVELOPE_TYPE_REPLY,
	    [MESSAGE_DELIVERY] = ENVELOPE_TYPE_DELIVERY,
	};

	for (unsigned i = MESSAGE_EVENT; i < MESSAGE_KIND_COUNT; i++) {
		if (strcmp(type, types[i]) == 0) {
			*kind = (enum message_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

int message_read(struct message *message, struct error *err)
{
	const struct amqp_delivery *delivery = message->delivery;
	const struct envelope *envelope = &delivery->envelope;
	enum message_kind kind;
	enum encoding encoding;
	int r;

	if (kind_of(envelope->type, &kind) < 0)
		return error_set(err, ERROR_INVALID_JOB, "type: \"%.64s\" is neither event, reply nor delivery",
				 envelope->type);
	if (encoding_from_content_type(envelope->content_type, &encoding) != 0 ||
	    (kind != MESSAGE_REPLY && encoding != ENCODING_JSON))
		return error_set(err, ERROR_INVALID_JOB, "content_type: \"%s\" is not known", envelope->content_type);
	message->kind = kind;
	if (kind == MESSAGE_DELIVERY)
		return delivery_report_decode(&message->report, delivery->body, delivery->body_size, err);
	r = kind == MESSAGE_EVENT ? read_event(message, err) : read_reply(message, encoding, err);
	return r < 0 ? r : complete(message, err);
}

int64_t message_said_ms(const struct message *message)
{
	return message->kind == MESSAGE_DELIVERY ? message->report.at_ms : message->change.at_ms;
}

struct amqp_message *message_park(const struct message *message)
{
	const struct amqp_delivery *delivery = message->delivery;
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct amqp_message *copy;

	if (buffer_append(&body, delivery->body, delivery->body_size) != 0)
		return NULL;
	copy = amqp_message_new(TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_PARKED_KEY, &body);
	if (!copy)
		return NULL;
	copy->mandatory = true;
	copy->envelope = delivery->envelope;
	snprintf(copy->envelope.reason, sizeof(copy->envelope.reason), "%s", message->reason);
	snprintf(copy->envelope.origin, sizeof(copy->envelope.origin), "%s", TOPOLOGY_TRACKER_QUEUE);
	return copy;
}
