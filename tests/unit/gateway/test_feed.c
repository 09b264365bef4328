#include "gateway/gateway_private.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

#define ID "01930000-0000-7000-8000-000000000001"

/* Stand in for the gateway's other parts: the linker takes these instead. */

static struct gateway gateway;
static enum task_state when_told = TASK_PENDING;
static int told;

void desk_reply(struct desk *desk, const char *task_id, const char *json, size_t size)
{
	cleanup_with(buffer_finish) struct buffer reply = {0};
	struct recent_task task;

	(void)desk;
	told++;
	assert_string_equal(task_id, ID);
	assert_true(recent_find(gateway.recent, ID, &task, &reply));
	when_told = task.state;
	assert_int_equal(reply.size, size);
	assert_memory_equal(reply.data, json, size);
}

void hub_publish(struct hub *hub, const struct hub_event *event)
{
	(void)hub;
	assert_string_equal(event->task_id, ID);
}

void overload_hear(struct overload *overload, const struct reply *reply)
{
	(void)overload;
	assert_string_equal(reply->task_id, ID);
}

static int set_up(void **state)
{
	struct recent_task task = {.task_id = ID, .state = TASK_PENDING, .attempt = 1};

	(void)state;
	gateway.recent = recent_new(10);
	if (gateway.recent)
		recent_add(gateway.recent, &task);
	return gateway.recent ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	recent_free(gateway.recent);
	return 0;
}

static void hear(const char *type, const struct buffer *body)
{
	struct amqp_delivery delivery = {.body = body->data, .body_size = body->size};

	snprintf(delivery.envelope.type, sizeof(delivery.envelope.type), "%s", type);
	snprintf(delivery.envelope.content_type, sizeof(delivery.envelope.content_type), "application/json");
	feed_handle(&gateway, &delivery);
}

/* Whoever is answered may ask for the task at once. */
static void test_a_task_has_ended_before_its_client_is_told(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, ID, NULL);
	reply.state = TASK_FINAL_FAILED;
	error_set(&reply.error, ERROR_INTERNAL, "this is a test");
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	hear(ENVELOPE_TYPE_REPLY, &body);
	assert_int_equal(told, 1);
	assert_int_equal(when_told, TASK_FINAL_FAILED);
}

static void test_what_is_no_reply_tells_nobody(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};

	(void)state;
	told = 0;
	assert_int_equal(buffer_append(&body, "{}", 2), 0);
	hear(ENVELOPE_TYPE_REPLY, &body);
	hear(ENVELOPE_TYPE_EVENT, &body);
	hear("facefleet.nonsense.v1", &body);
	assert_int_equal(told, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_a_task_has_ended_before_its_client_is_told, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_what_is_no_reply_tells_nobody, set_up, tear_down),
};

RUN_TESTS(tests)
