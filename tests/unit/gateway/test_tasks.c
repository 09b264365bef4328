/* What is told of a task while the store fails: everything around stands in, and the linker takes it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/link.h"
#include "gateway/gateway_private.h"
#include "gateway/lookup.h"
#include "gateway/problems.h"
#include "gateway/store_access.h"
#include "run.h"
#include "store/cancellation.h"

#define ID "01930000-0000-7000-8000-000000000001"
#define STREAM 7
#define LOOKUPS 4

static struct gateway gateway;

/* What each lookup finds, one after the other; -1: the store fails. */
static enum task_state states[LOOKUPS];
static unsigned looked_up;
static bool accepted;

/* What was done. */
static unsigned workers_told, clients_told, shown, ended, refused, answered;

int lookup_task(struct gateway *of, struct store **store, const char *task_id, struct lookup *lookup, struct error *err)
{
	enum task_state state = states[looked_up++];

	(void)of;
	(void)store;
	(void)task_id;
	assert_true(looked_up <= LOOKUPS);
	lookup->visible = (int)state >= 0;
	if (!lookup->visible)
		return error_set(err, ERROR_STORE_UNAVAILABLE, "it is away");
	lookup->state = state;
	lookup->cancelled = state == TASK_FINAL_FAILED;
	return buffer_append(lookup->out, "{}", 2);
}

int cancellation_record(struct store *store, const char *task_id, const struct task_change *facts,
			struct cancellation *out, struct error *err)
{
	(void)store;
	(void)task_id;
	(void)facts;
	(void)err;
	*out = (struct cancellation){.accepted = accepted, .known = true};
	return 0;
}

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *fn, void *arg)
{
	(void)link;
	(void)fn;
	(void)arg;
	workers_told++;
	amqp_message_free(message);
	return 0;
}

void desk_reply(struct desk *desk, const char *task_id, const char *json, size_t size)
{
	(void)desk;
	(void)json;
	assert_string_equal(task_id, ID);
	assert_true(size > 0);
	clients_told++;
}

bool hub_reserve(struct hub *hub)
{
	(void)hub;
	return true;
}

void hub_give_back(struct hub *hub)
{
	(void)hub;
}

uint64_t hub_add(struct hub *hub, struct http_stream *stream, const struct visitor *visitor, const char *task_id)
{
	(void)hub;
	(void)stream;
	(void)visitor;
	assert_string_equal(task_id, ID);
	return STREAM;
}

void hub_publish(struct hub *hub, const struct hub_event *event)
{
	(void)hub;
	assert_int_equal(event->state, TASK_FINAL_FAILED);
}

void hub_show(struct hub *hub, uint64_t number, const struct hub_event *event)
{
	(void)hub;
	(void)event;
	assert_int_equal(number, STREAM);
	shown++;
}

void hub_end(struct hub *hub, uint64_t number)
{
	(void)hub;
	assert_int_equal(number, STREAM);
	ended++;
}

int store_access_open(struct gateway *of, struct store **store, struct error *err)
{
	(void)of;
	(void)store;
	(void)err;
	return 0;
}

void store_access_refuse(struct gateway *of, struct visit *visit, const struct error *err)
{
	(void)of;
	assert_int_equal(err->code, ERROR_STORE_UNAVAILABLE);
	refused++;
	free(visit);
}

struct http_stream *http_call_stream(struct http_call *call, const char *content_type, size_t max_pending)
{
	(void)call;
	(void)content_type;
	(void)max_pending;
	return NULL;
}

void http_call_answer(struct http_call *call, unsigned status, const char *content_type, struct buffer *body,
		      const struct http_header *headers)
{
	(void)call;
	(void)content_type;
	(void)body;
	(void)headers;
	assert_int_equal(status, 200);
	answered++;
}

void visit_free(struct visit *visit)
{
	free(visit);
}

void visit_refuse_as(struct visit *visit, const struct http_problem_kind *kind, const char *detail, int retry_after_s)
{
	(void)visit;
	(void)detail;
	(void)retry_after_s;
	fail_msg("refused: %s", kind->code);
}

/* --- the visits --- */

static int set_up(void **state)
{
	(void)state;
	gateway.recent = recent_new(10);
	looked_up = workers_told = clients_told = shown = ended = refused = answered = 0;
	return gateway.recent ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	recent_free(gateway.recent);
	return 0;
}

static void handle(visit_fn *fn, enum task_state first, enum task_state second, enum task_state third)
{
	struct visit *visit = calloc(1, sizeof(*visit));
	struct store *store = NULL;

	assert_non_null(visit);
	visit->visitor.sees_all = true;
	visit->visitor.scopes = KEY_ADMIN;
	memcpy(visit->task_id, ID, UUID_SIZE);
	states[0] = first;
	states[1] = second;
	states[2] = third;
	fn(&gateway, visit, &store);
}

#define FAILS ((enum task_state) - 1)

static void test_a_stream_begins_with_the_state(void **state)
{
	(void)state;
	handle(tasks_handle_events, TASK_PENDING, TASK_RUNNING, FAILS);
	assert_int_equal(shown, 1);
	assert_int_equal(ended, 0);
}

/* The task may have ended before the stream heard anything: it would wait for good. */
static void test_a_stream_ends_when_its_state_cannot_be_read(void **state)
{
	(void)state;
	handle(tasks_handle_events, TASK_RUNNING, FAILS, FAILS);
	assert_int_equal(shown, 0);
	assert_int_equal(ended, 1);
}

static void test_everybody_is_told_of_a_cancellation(void **state)
{
	(void)state;
	accepted = true;
	handle(tasks_handle_cancel, TASK_RUNNING, TASK_FINAL_FAILED, TASK_FINAL_FAILED);
	assert_int_equal(workers_told, 1);
	assert_int_equal(clients_told, 1);
	assert_int_equal(answered, 1);
}

static void test_workers_hear_of_a_cancellation_that_cannot_be_shown(void **state)
{
	(void)state;
	accepted = true;
	handle(tasks_handle_cancel, TASK_RUNNING, FAILS, FAILS);
	assert_int_equal(workers_told, 1);
	assert_int_equal(clients_told, 0);
	assert_int_equal(refused, 1);
}

static void test_who_waits_is_told_when_it_is_asked_again(void **state)
{
	(void)state;
	accepted = false;
	handle(tasks_handle_cancel, TASK_FINAL_FAILED, TASK_FINAL_FAILED, TASK_FINAL_FAILED);
	assert_int_equal(clients_told, 1);
	assert_int_equal(answered, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_stream_begins_with_the_state),           CASE(test_a_stream_ends_when_its_state_cannot_be_read),
    CASE(test_everybody_is_told_of_a_cancellation),      CASE(test_workers_hear_of_a_cancellation_that_cannot_be_shown),
    CASE(test_who_waits_is_told_when_it_is_asked_again),
};

RUN_TESTS(tests)
