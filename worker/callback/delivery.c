#include "delivery.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/topology.h"
#include "base/clock.h"
#include "job/reply.h"
#include "obs/log.h"

/* An endpoint's answer is its status; a little of the body is read so that the connection can be kept. */
#define ANSWER_MAX_BODY 4096

struct delivery *delivery_of_mail(struct mail *mail)
{
	return (struct delivery *)((char *)mail - offsetof(struct delivery, mail));
}

struct delivery *delivery_of_place(struct endpoint_place *place)
{
	return (struct delivery *)((char *)place - offsetof(struct delivery, place));
}

struct delivery *delivery_new(struct amqp_delivery *message, struct mailbox *box)
{
	struct delivery *delivery = calloc(1, sizeof(*delivery));

	if (!delivery)
		return NULL;
	delivery->message = message;
	delivery->box = box;
	delivery->payload.limit = DELIVERY_MAX_BODY;
	log_url(message->envelope.callback_url, delivery->url, sizeof(delivery->url));
	if (uuid_is_valid(message->envelope.message_id))
		memcpy(delivery->ctx.task_id, message->envelope.message_id, UUID_SIZE);
	return delivery;
}

void delivery_free(struct delivery *delivery)
{
	if (!delivery)
		return;
	assert(!delivery->place.endpoint);
	buffer_finish(&delivery->payload);
	amqp_delivery_free(delivery->message);
	free(delivery);
}

void delivery_tell(struct delivery *delivery, enum delivery_news news)
{
	delivery->news = news;
	mailbox_post(delivery->box, &delivery->mail);
}

int delivery_attempts(const struct delivery *delivery)
{
	int32_t attempts = delivery->message->envelope.attempt;

	/* A number that no schedule reaches is as good as the highest, and cannot overflow. */
	if (attempts > RETRY_PLAN_MAX_STEPS)
		return RETRY_PLAN_MAX_STEPS;
	return attempts > 0 ? attempts : 0;
}

static int write_payload(const struct reply *reply, struct buffer *out)
{
	static const char end[] = "}";
	char timestamp[CLOCK_RFC3339_SIZE];
	int64_t at_ms = reply->finished_at_ms ? reply->finished_at_ms : clock_unix_ms();

	clock_format_rfc3339(at_ms, timestamp);
	int r = buffer_printf(
	    out, "{\"type\":\"task.%s\",\"timestamp\":\"%s\",\"data\":", task_state_name(reply->state), timestamp);
	if (r == 0)
		r = reply_encode_json_within(reply, DELIVERY_MAX_BODY - out->size - strlen(end), out);
	return r == 0 ? buffer_append(out, end, strlen(end)) : r;
}

static int prepare_from_reply(struct delivery *delivery, const struct reply *reply, struct error *err)
{
	if (!uuid_is_valid(reply->task_id))
		return error_set(err, ERROR_INVALID_JOB, "task_id: not a UUID");

	int r = write_payload(reply, &delivery->payload);
	if (r == -EMSGSIZE)
		return error_set(err, ERROR_INVALID_JOB, "reply: above %d bytes even without candidates",
				 DELIVERY_MAX_BODY);
	if (r != 0)
		return error_set(err, ERROR_INTERNAL, "out of memory");
	memcpy(delivery->ctx.task_id, reply->task_id, UUID_SIZE);
	memcpy(delivery->scene, reply->scene, sizeof(delivery->scene));
	delivery->finished_at_ms = reply->finished_at_ms;
	return 0;
}

int delivery_prepare(struct delivery *delivery, struct error *err)
{
	const struct amqp_delivery *message = delivery->message;
	const struct envelope *envelope = &message->envelope;
	enum encoding encoding;
	struct reply reply;

	/* A trace that cannot be continued begins anew: either way this attempt has a span. */
	if (trace_continue(&delivery->ctx.trace, envelope->traceparent) == 0)
		snprintf(delivery->ctx.tracestate, sizeof(delivery->ctx.tracestate), "%s", envelope->tracestate);
	if (strcmp(envelope->type, ENVELOPE_TYPE_REPLY) != 0)
		return error_set(err, ERROR_INVALID_JOB, "type: \"%.64s\" is not " ENVELOPE_TYPE_REPLY, envelope->type);
	if (encoding_from_content_type(envelope->content_type, &encoding) != 0)
		return error_set(err, ERROR_INVALID_JOB, "content_type: \"%s\" is not known", envelope->content_type);

	int r = reply_decode(&reply, encoding, message->body, message->body_size, err);
	if (r != 0)
		return r;
	r = prepare_from_reply(delivery, &reply, err);
	reply_finish(&reply);
	return r;
}

/* On the HTTP client's thread. */
static void take_answer(void *arg, const struct http_response *response)
{
	struct delivery *delivery = arg;

	delivery->answer = (struct answer){
	    .outcome = response->outcome,
	    .status = response->status,
	    .retry_after_ms = response->retry_after_ms,
	    .elapsed_ms = response->elapsed_ms,
	};
	if (response->outcome != HTTP_ANSWERED)
		snprintf(delivery->answer.text, sizeof(delivery->answer.text), "%s", response->text);
	delivery_tell(delivery, DELIVERY_ANSWERED);
}

/* True if `text` can stand in a header: a publisher's tracestate must not add headers of its own. */
static bool is_header_value(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

int delivery_post(struct delivery *delivery, struct http_client *client, const struct signature_keys *keys,
		  int64_t timeout_ms)
{
	const struct context *ctx = &delivery->ctx;
	int64_t now_s = clock_unix_ms() / 1000;
	cleanup_with(buffer_finish) struct buffer signature = {0};
	char traceparent[TRACEPARENT_SIZE];
	char id_line[64];
	char timestamp_line[64];
	char trace_line[32 + TRACEPARENT_SIZE];
	char state_line[32 + TRACESTATE_SIZE];

	int r = buffer_printf(&signature, "webhook-signature: ");
	if (r == 0)
		r = signature_sign(keys, ctx->task_id, now_s, delivery->payload.data, delivery->payload.size,
				   &signature);
	if (r != 0)
		return r;
	trace_format(&ctx->trace, traceparent);
	snprintf(id_line, sizeof(id_line), "webhook-id: %s", ctx->task_id);
	snprintf(timestamp_line, sizeof(timestamp_line), "webhook-timestamp: %" PRId64, now_s);
	snprintf(trace_line, sizeof(trace_line), "traceparent: %s", traceparent);
	snprintf(state_line, sizeof(state_line), "tracestate: %s", ctx->tracestate);

	const char *const headers[] = {
	    "content-type: application/json",
	    id_line,
	    timestamp_line,
	    (const char *)signature.data,
	    trace_line,
	    is_header_value(ctx->tracestate) ? state_line : NULL,
	    NULL,
	};
	struct http_request request = {
	    .method = "POST",
	    .url = delivery->message->envelope.callback_url,
	    .headers = headers,
	    .body = delivery->payload.data,
	    .body_size = delivery->payload.size,
	    .max_body = ANSWER_MAX_BODY,
	    .truncate_body = true,
	    .timeout_ms = timeout_ms,
	    .done = take_answer,
	    .arg = delivery,
	};
	return http_client_submit(client, &request);
}

struct amqp_message *delivery_forward(const struct delivery *delivery)
{
	const struct verdict *verdict = &delivery->verdict;
	const struct amqp_delivery *original = delivery->message;
	cleanup_with(buffer_finish) struct buffer body = {0};
	char retry_queue[ENVELOPE_SHORT_SIZE];
	struct amqp_message *message;

	if (buffer_append(&body, original->body, original->body_size) != 0)
		return NULL;
	if (verdict->what == VERDICT_PARK) {
		message = amqp_message_new(TOPOLOGY_DEAD_EXCHANGE, TOPOLOGY_DEAD_PARKED_KEY, &body);
	} else {
		topology_retry_queue(TOPOLOGY_RETRY_CALLBACKS, verdict->delay_ms, retry_queue);
		message = amqp_message_new("", retry_queue, &body);
	}
	if (!message)
		return NULL;
	message->mandatory = true;
	message->envelope = original->envelope;
	if (verdict->what == VERDICT_PARK) {
		message->envelope.attempt = 0;
		snprintf(message->envelope.reason, sizeof(message->envelope.reason), "%s", verdict->reason);
		snprintf(message->envelope.origin, sizeof(message->envelope.origin), "%s", TOPOLOGY_CALLBACKS_QUEUE);
	} else if (verdict->what == VERDICT_RETRY) {
		message->envelope.attempt = delivery_attempts(delivery) + 1;
	}
	return message;
}
