/* What is heard: state changes, and replies, which come on the events exchange too; and what the whole fleet is told.
 * On the main thread. */

#include <string.h>

#include "base/clock.h"
#include "gateway_private.h"
#include "job/control.h"
#include "job/event.h"
#include "job/reply.h"
#include "obs/log.h"

static void publish(struct gateway *gateway, const struct amqp_delivery *delivery, const char *task_id,
		    enum task_state state, int attempt, const struct buffer *json)
{
	recent_update(gateway->recent, task_id, state, attempt, delivery->received_unix_ms, json);
	hub_publish(gateway->hub, &(struct hub_event){
				      .task_id = task_id,
				      .owner = delivery->envelope.owner,
				      .state = state,
				      .attempt = attempt,
				      .json = (const char *)json->data,
				      .size = json->size,
				  });
}

/* Written anew, so that a stream has one line whoever published it. */
static int handle_event(struct gateway *gateway, const struct amqp_delivery *delivery, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	struct event event;
	int r = event_decode(&event, delivery->body, delivery->body_size, err);

	if (r == 0 && event_encode(&event, &json) != 0)
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	if (r == 0)
		publish(gateway, delivery, event.task_id, event.state, event.attempt, &json);
	return r;
}

static int handle_reply(struct gateway *gateway, const struct amqp_delivery *delivery, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer json = {0};
	enum encoding encoding;
	struct reply reply;

	if (encoding_from_content_type(delivery->envelope.content_type, &encoding) < 0)
		return error_set(err, ERROR_INVALID_JOB, "content type is not known");
	int r = reply_decode(&reply, encoding, delivery->body, delivery->body_size, err);
	if (r < 0)
		return r;
	if (reply_encode(&reply, ENCODING_JSON, &json) != 0) {
		r = error_set(err, ERROR_INTERNAL, "out of memory");
	} else {
		overload_hear(gateway->overload, &reply);
		/* Who has the reply may ask for the task at once. */
		publish(gateway, delivery, reply.task_id, reply.state, reply.attempt, &json);
		desk_reply(gateway->desk, reply.task_id, (const char *)json.data, json.size);
	}
	reply_finish(&reply);
	return r;
}

/* Of what the fleet is told, the gateway keeps only this in memory. */
static int handle_control(struct gateway *gateway, const struct amqp_delivery *delivery, struct error *err)
{
	struct control control;
	int r = control_decode(&control, delivery->body, delivery->body_size, err);

	if (r == 0 && control.kind == CONTROL_PERSON_ERASED)
		recent_forget_person(gateway->recent, control.user_id, control.collection);
	return r;
}

void feed_handle(struct gateway *gateway, const struct amqp_delivery *delivery)
{
	const struct envelope *envelope = &delivery->envelope;
	struct error err;
	int r = 0;

	if (strcmp(envelope->type, ENVELOPE_TYPE_EVENT) == 0)
		r = handle_event(gateway, delivery, &err);
	else if (strcmp(envelope->type, ENVELOPE_TYPE_REPLY) == 0)
		r = handle_reply(gateway, delivery, &err);
	else if (strcmp(envelope->type, ENVELOPE_TYPE_CONTROL) == 0)
		r = handle_control(gateway, delivery, &err);
	if (r < 0)
		log_warning(NULL, "message ignored", log_string("message_id", envelope->message_id),
			    LOG_ERROR_FIELDS(&err));
}
