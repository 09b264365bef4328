#include "run.h"

#include <string.h>

#include "samples.h"
#include "tracker/message.h"

#define ID "0193f0aa-1111-7abc-8def-000000000001"

static struct message *make(const char *type, const char *body)
{
	struct message *message = message_new(sample_delivery(type, body), NULL);

	assert_non_null(message);
	return message;
}

static void test_an_event(void **state)
{
	struct message *message = make(
	    ENVELOPE_TYPE_EVENT, "{\"task_id\":\"" ID "\",\"op\":\"verify\",\"user_id\":\"ann\",\"reference\":\"r\","
				 "\"scene\":\"batch\",\"state\":\"retrying\",\"attempt\":2,"
				 "\"at\":\"1970-01-01T00:00:01.500Z\",\"worker\":\"w\",\"error\":{\"code\":"
				 "\"attempt_timeout\",\"message\":\"too slow\",\"retryable\":true},"
				 "\"next_attempt_at\":\"1970-01-01T00:00:02.000Z\"}");
	const struct task_change *change = &message->change;
	struct envelope *envelope = &message->delivery->envelope;
	struct error err = {0};

	(void)state;
	strcpy(envelope->owner, "key");
	envelope->accepted_ms = 7;
	envelope->deadline_ms = 8;
	assert_int_equal(message_read(message, &err), 0);
	assert_int_equal(message->kind, MESSAGE_EVENT);
	assert_string_equal(change->task_id, ID);
	assert_int_equal(change->state, TASK_RETRYING);
	assert_int_equal(change->attempt, 2);
	assert_int_equal(change->at_ms, 1500);
	assert_int_equal(change->next_attempt_at_ms, 2000);
	assert_string_equal(change->op, "verify");
	assert_string_equal(change->user_id, "ann");
	assert_string_equal(change->collection, "");
	assert_string_equal(change->error_code, "attempt_timeout");
	assert_string_equal(change->error_text, "too slow");
	assert_string_equal(change->owner, "key");
	assert_int_equal(change->accepted_at_ms, 7);
	assert_int_equal(change->deadline_ms, 8);
	assert_null(change->reply);
	message_free(message);
}

/* What a message leaves out, its envelope or its arrival says. */
static void test_what_is_left_out(void **state)
{
	struct message *message = make(ENVELOPE_TYPE_EVENT, "{\"task_id\":\"" ID "\",\"state\":\"pending\"}");
	struct error err = {0};

	(void)state;
	strcpy(message->delivery->envelope.owner, "\xff\xfe");
	message->delivery->envelope.accepted_ms = -5;
	assert_int_equal(message_read(message, &err), 0);
	assert_int_equal(message->change.attempt, 1);
	assert_int_equal(message->change.at_ms, 1234);
	assert_string_equal(message->change.owner, "");
	assert_int_equal(message->change.accepted_at_ms, 0);
	assert_string_equal(message->change.error_code, "");
	message_free(message);
}

static void test_a_reply_is_kept_as_json(void **state)
{
	struct message *message = make(
	    ENVELOPE_TYPE_REPLY, "{\"task_id\":\"" ID "\",\"op\":\"enroll\",\"user_id\":\"ann\","
				 "\"collection\":\"staff\",\"state\":\"final_failed\",\"attempt\":1,\"error\":"
				 "{\"code\":\"no_face\",\"message\":\"nobody\",\"retryable\":false},\"unknown\":{}}");
	struct error err = {0};

	(void)state;
	if (message_read(message, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(message->kind, MESSAGE_REPLY);
	assert_int_equal(message->change.state, TASK_FINAL_FAILED);
	assert_string_equal(message->change.collection, "staff");
	assert_string_equal(message->change.error_code, "no_face");
	assert_non_null(strstr((const char *)message->change.reply, "\"code\":\"no_face\""));
	assert_int_equal(message->change.reply_size, strlen((const char *)message->change.reply));
	message_free(message);
}

static void test_a_delivery(void **state)
{
	struct message *message =
	    make(ENVELOPE_TYPE_DELIVERY, "{\"task_id\":\"" ID "\",\"at\":\"1970-01-01T00:00:01.500Z\",\"attempt\":2,"
					 "\"outcome\":\"retrying\",\"origin\":\"http://x:80\",\"http_status\":500}");
	struct error err = {0};

	(void)state;
	assert_int_equal(message_read(message, &err), 0);
	assert_int_equal(message->kind, MESSAGE_DELIVERY);
	assert_string_equal(message->report.task_id, ID);
	assert_int_equal(message->report.attempt, 2);
	assert_int_equal(message_said_ms(message), 1500);
	message_free(message);
}

static void refuse(const char *type, const char *body, const char *why)
{
	struct message *message = make(type, body);
	struct error err = {0};

	assert_true(message_read(message, &err) < 0);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not name %s", err.text, why);
	message_free(message);
}

static void test_what_makes_no_sense(void **state)
{
	(void)state;
	refuse(ENVELOPE_TYPE_JOB, "{\"task_id\":\"" ID "\",\"state\":\"running\"}", "type");
	refuse(ENVELOPE_TYPE_EVENT, "", "body");
	refuse(ENVELOPE_TYPE_EVENT, "{\"task_id\":\"" ID "\"}", "state");
	refuse(ENVELOPE_TYPE_EVENT, "{\"state\":\"running\"}", "task_id");
	refuse(ENVELOPE_TYPE_EVENT, "{\"task_id\":\"" ID "\",\"state\":\"succeeded\"}", "state");
	refuse(ENVELOPE_TYPE_REPLY, "{\"task_id\":\"" ID "\",\"state\":\"running\"}", "state");
	refuse(ENVELOPE_TYPE_DELIVERY, "{\"task_id\":\"" ID "\",\"outcome\":\"parked\"}", "at");
	refuse(ENVELOPE_TYPE_EVENT, "{\"task_id\":\"../../etc\",\"state\":\"running\"}", "task_id");
}

static void test_an_event_is_json(void **state)
{
	struct message *message = make(ENVELOPE_TYPE_EVENT, "{\"task_id\":\"" ID "\",\"state\":\"running\"}");
	struct error err = {0};

	(void)state;
	strcpy(message->delivery->envelope.content_type, "application/msgpack");
	assert_true(message_read(message, &err) < 0);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	message_free(message);
}

static void test_a_parked_copy(void **state)
{
	struct message *message = make("rumour", "bytes");

	(void)state;
	strcpy(message->reason, "because");
	struct amqp_message *copy = message_park(message);
	assert_non_null(copy);
	assert_true(copy->mandatory);
	assert_string_equal(copy->exchange, TOPOLOGY_DEAD_EXCHANGE);
	assert_string_equal(copy->routing_key, TOPOLOGY_DEAD_PARKED_KEY);
	assert_string_equal(copy->envelope.reason, "because");
	assert_string_equal(copy->envelope.origin, TOPOLOGY_TRACKER_QUEUE);
	assert_string_equal(copy->envelope.type, "rumour");
	assert_int_equal(copy->body_size, 5);
	assert_memory_equal(copy->body, "bytes", 5);
	amqp_message_free(copy);
	message_free(message);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_an_event),
    cmocka_unit_test(test_what_is_left_out),
    cmocka_unit_test(test_a_reply_is_kept_as_json),
    cmocka_unit_test(test_a_delivery),
    cmocka_unit_test(test_what_makes_no_sense),
    cmocka_unit_test(test_an_event_is_json),
    cmocka_unit_test(test_a_parked_copy),
};

RUN_TESTS(tests)
