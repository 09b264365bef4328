#include "run.h"

#include <errno.h>
#include <string.h>

#include "job/event.h"

#define TASK_ID "0193a5d0-7c00-7abc-8def-0123456789ab"

static struct event retrying_event(void)
{
	struct event event = {
	    .task_id = TASK_ID,
	    .op = JOB_VERIFY,
	    .has_op = true,
	    .user_id = "u1",
	    .reference = "r1",
	    .scene = "batch",
	    .state = TASK_RETRYING,
	    .attempt = 1,
	    .at_ms = 1764082387123,
	    .worker = "host-1",
	    .next_attempt_at_ms = 1764082388123,
	};

	error_set(&event.error, ERROR_OVERLOADED, "busy");
	return event;
}

static void test_json_form(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct event event = retrying_event();

	(void)state;
	assert_int_equal(event_encode(&event, &body), 0);
	assert_string_equal(
	    (char *)body.data,
	    "{\"task_id\":\"" TASK_ID "\",\"op\":\"verify\",\"user_id\":\"u1\",\"reference\":\"r1\","
	    "\"scene\":\"batch\",\"state\":\"retrying\",\"attempt\":1,\"at\":\"2025-11-25T14:53:07.123Z\","
	    "\"worker\":\"host-1\",\"error\":{\"code\":\"overloaded\",\"message\":\"busy\","
	    "\"retryable\":true,\"image\":null,\"details\":{}},"
	    "\"next_attempt_at\":\"2025-11-25T14:53:08.123Z\"}");
}

static void test_round_trip(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct event event = retrying_event();
	struct event back;
	struct error err;

	(void)state;
	assert_int_equal(event_encode(&event, &body), 0);
	assert_int_equal(event_decode(&back, body.data, body.size, &err), 0);
	assert_string_equal(back.task_id, TASK_ID);
	assert_true(back.has_op && back.op == JOB_VERIFY);
	assert_string_equal(back.user_id, "u1");
	assert_string_equal(back.reference, "r1");
	assert_string_equal(back.scene, "batch");
	assert_int_equal(back.state, TASK_RETRYING);
	assert_int_equal(back.attempt, 1);
	assert_int_equal(back.at_ms, event.at_ms);
	assert_string_equal(back.worker, "host-1");
	assert_int_equal(back.error.code, ERROR_OVERLOADED);
	assert_int_equal(back.error.class, ERROR_CLASS_RETRY);
	assert_int_equal(back.next_attempt_at_ms, event.next_attempt_at_ms);
}

static void test_decode_refusals(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} cases[] = {
	    {"{}", "state: is missing"},
	    {"{\"state\": \"final_failed\"}", "state: is the last state of a task, which is a reply"},
	    {"{\"state\": \"running\", \"at\": 5}", "at: a string was expected, found a whole number"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct event event = {.attempt = 77};
		struct error err;
		const char *body = cases[i].body;
		assert_int_equal(event_decode(&event, (const uint8_t *)body, strlen(body), &err), -EBADMSG);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(event.attempt, 77);
	}
}

static void test_routing_keys(void **state)
{
	char key[ENVELOPE_SHORT_SIZE];
	struct event event = {.state = TASK_RUNNING};

	(void)state;
	event_routing_key(&event, key);
	assert_string_equal(key, "task.unknown.running.quiet");
	strcpy(event.scene, "realtime");
	event_routing_key(&event, key);
	assert_string_equal(key, "task.realtime.running.quiet");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_form),
    cmocka_unit_test(test_round_trip),
    cmocka_unit_test(test_decode_refusals),
    cmocka_unit_test(test_routing_keys),
};

RUN_TESTS(tests)
