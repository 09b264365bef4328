#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "callback/delivery.h"
#include "job/job.h"
#include "samples.h"

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"

static struct delivery *delivery_with(struct amqp_delivery *message)
{
	struct delivery *delivery = delivery_new(message, NULL);

	assert_non_null(delivery);
	return delivery;
}

static json_t *payload_of(struct amqp_delivery *message)
{
	struct delivery *delivery = delivery_with(message);
	struct error err = {0};

	if (delivery_prepare(delivery, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(delivery->payload.size <= DELIVERY_MAX_BODY);
	json_t *payload = json_loadb((const char *)delivery->payload.data, delivery->payload.size, 0, NULL);
	assert_non_null(payload);
	delivery_free(delivery);
	return payload;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

static void wraps_the_reply_of_either_encoding(void **state)
{
	(void)state;
	for (int encoding = ENCODING_JSON; encoding <= ENCODING_MSGPACK; encoding++) {
		json_t *payload = payload_of(sample_delivery((enum encoding)encoding, 0));
		const json_t *data = json_object_get(payload, "data");

		assert_int_equal(json_object_size(payload), 3);
		assert_string_equal(string_at(payload, "type"), "task.succeeded");
		assert_string_equal(string_at(payload, "timestamp"), "2026-11-23T14:53:07.123Z");
		assert_string_equal(string_at(data, "task_id"), SAMPLE_TASK);
		assert_true(json_is_true(json_object_get(json_object_get(data, "result"), "matched")));
		json_decref(payload);
	}
}

static void cuts_candidates_to_stay_below_the_limit(void **state)
{
	(void)state;
	json_t *payload = payload_of(sample_delivery(ENCODING_MSGPACK, JOB_MAX_TOP_K));
	const json_t *result = json_object_get(json_object_get(payload, "data"), "result");
	size_t left = json_array_size(json_object_get(result, "candidates"));

	assert_in_range(left, 50, JOB_MAX_TOP_K - 1);
	json_decref(payload);
}

/* Prepares a message that is refused; checks that the reason names `part`. */
static void refuse(struct amqp_delivery *message, const char *part)
{
	struct delivery *delivery = delivery_with(message);
	struct error err = {0};

	assert_int_not_equal(delivery_prepare(delivery, &err), 0);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	if (!strstr(err.text, part))
		fail_msg("\"%s\" does not name \"%s\"", err.text, part);
	delivery_free(delivery);
}

static void refuses_what_is_no_reply(void **state)
{
	(void)state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);
	strcpy(message->envelope.type, ENVELOPE_TYPE_EVENT);
	refuse(message, "type");

	message = sample_delivery(ENCODING_JSON, 0);
	strcpy(message->envelope.content_type, "text/html");
	refuse(message, "content_type");

	message = sample_delivery(ENCODING_JSON, 0);
	message->body[0] = '[';
	refuse(message, "");

	message = sample_delivery(ENCODING_JSON, 0);
	free(message->body);
	message->body = NULL;
	message->body_size = 0;
	refuse(message, "");
}

static void continues_the_trace(void **state)
{
	(void)state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);
	struct error err;

	strcpy(message->envelope.traceparent, "00-" TRACE_ID "-b7ad6b7169203331-01");
	struct delivery *delivery = delivery_with(message);
	assert_int_equal(delivery_prepare(delivery, &err), 0);
	assert_string_equal(delivery->ctx.trace.trace_id, TRACE_ID);
	assert_string_equal(delivery->ctx.trace.parent_id, "b7ad6b7169203331");
	delivery_free(delivery);
}

static void shows_no_secret_of_the_url(void **state)
{
	(void)state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	strcpy(message->envelope.callback_url, "https://user:secret@shop.example/hook?token=secret");
	struct delivery *delivery = delivery_with(message);
	assert_non_null(strstr(delivery->url, "shop.example/hook"));
	assert_null(strstr(delivery->url, "secret"));
	delivery_free(delivery);
}

static void counts_attempts_without_overflow(void **state)
{
	(void)state;
	static const struct {
		int32_t header;
		int attempts;
	} cases[] = {{0, 0}, {3, 3}, {-1, 0}, {INT32_MIN, 0}, {INT32_MAX, RETRY_PLAN_MAX_STEPS}};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct delivery *delivery = delivery_with(sample_delivery(ENCODING_JSON, 0));
		delivery->message->envelope.attempt = cases[i].header;
		assert_int_equal(delivery_attempts(delivery), cases[i].attempts);
		delivery_free(delivery);
	}
}

static void forwards_to_a_retry_queue(void **state)
{
	(void)state;
	struct delivery *delivery = delivery_with(sample_delivery(ENCODING_MSGPACK, 0));

	delivery->message->envelope.attempt = 2;
	delivery->verdict = (struct verdict){.what = VERDICT_RETRY, .delay_ms = 5000};
	struct amqp_message *retry = delivery_forward(delivery);
	assert_non_null(retry);
	assert_string_equal(retry->exchange, "");
	assert_string_equal(retry->routing_key, "facefleet.retry.callbacks.5000");
	assert_true(retry->mandatory);
	assert_int_equal(retry->envelope.attempt, 3);
	assert_string_equal(retry->envelope.callback_url, SAMPLE_URL);
	assert_string_equal(retry->envelope.reason, "");
	assert_int_equal(retry->body_size, delivery->message->body_size);
	assert_memory_equal(retry->body, delivery->message->body, retry->body_size);
	amqp_message_free(retry);

	delivery->verdict.what = VERDICT_DEFER;
	struct amqp_message *deferred = delivery_forward(delivery);
	assert_non_null(deferred);
	assert_int_equal(deferred->envelope.attempt, 2);
	amqp_message_free(deferred);
	delivery_free(delivery);
}

static void parks_with_reason_and_origin(void **state)
{
	(void)state;
	struct delivery *delivery = delivery_with(sample_delivery(ENCODING_JSON, 0));

	delivery->message->envelope.attempt = 7;
	verdict_park(&delivery->verdict, PARK_EXHAUSTED, "callback failed %d times", 8);
	struct amqp_message *parked = delivery_forward(delivery);
	assert_non_null(parked);
	assert_string_equal(parked->exchange, "facefleet.dead");
	assert_string_equal(parked->routing_key, "parked");
	assert_true(parked->mandatory);
	assert_int_equal(parked->envelope.attempt, 0);
	assert_string_equal(parked->envelope.reason, "callback failed 8 times");
	assert_string_equal(parked->envelope.origin, "facefleet.callbacks");
	assert_string_equal(parked->envelope.callback_url, SAMPLE_URL);
	amqp_message_free(parked);
	delivery_free(delivery);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(wraps_the_reply_of_either_encoding), cmocka_unit_test(cuts_candidates_to_stay_below_the_limit),
    cmocka_unit_test(refuses_what_is_no_reply),           cmocka_unit_test(continues_the_trace),
    cmocka_unit_test(shows_no_secret_of_the_url),         cmocka_unit_test(counts_attempts_without_overflow),
    cmocka_unit_test(forwards_to_a_retry_queue),          cmocka_unit_test(parks_with_reason_and_origin),
};

RUN_TESTS(tests)
