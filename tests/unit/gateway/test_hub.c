#include "gateway/hub.h"

#include <stdlib.h>
#include <string.h>

#include "run.h"

/* Stand in for the HTTP service's streams: the linker takes these instead. */

struct http_stream {
	unsigned written;
	bool ended;
};

int http_stream_write(struct http_stream *stream, const void *bytes, size_t size)
{
	(void)bytes;
	assert_false(stream->ended);
	stream->written += size > 0;
	return 0;
}

void http_stream_end(struct http_stream *stream)
{
	assert_false(stream->ended);
	stream->ended = true;
}

static struct metrics *metrics;
static struct hub *hub;
static struct http_stream streams[2];
static const struct visitor visitor = {.sees_all = true};

static int set_up(void **state)
{
	(void)state;
	memset(streams, 0, sizeof(streams));
	metrics = metrics_new();
	hub = hub_new(2, metrics);
	return hub ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hub_free(hub);
	metrics_free(metrics);
	return 0;
}

static uint64_t open_stream(unsigned which, const char *task_id)
{
	assert_true(hub_reserve(hub));
	return hub_add(hub, &streams[which], &visitor, task_id);
}

static void say(const char *task_id, enum task_state state)
{
	hub_publish(hub, &(struct hub_event){
			     .task_id = task_id, .owner = "", .state = state, .attempt = 1, .json = "{}", .size = 2});
}

static void test_a_task_ends_its_stream_and_no_other(void **state)
{
	(void)state;
	open_stream(0, "a");
	open_stream(1, "");
	say("a", TASK_RUNNING);
	say("b", TASK_SUCCEEDED);
	assert_false(streams[0].ended);
	say("a", TASK_SUCCEEDED);
	assert_true(streams[0].ended);
	assert_false(streams[1].ended);
	/* A comment before the first. */
	assert_int_equal(streams[0].written, 3);
	assert_int_equal(streams[1].written, 4);
}

static void test_what_is_known_is_not_said_again(void **state)
{
	(void)state;
	open_stream(0, "a");
	say("a", TASK_RUNNING);
	say("a", TASK_PENDING);
	say("a", TASK_RUNNING);
	assert_int_equal(streams[0].written, 2);
}

static void test_one_stream_is_ended_alone(void **state)
{
	(void)state;
	open_stream(0, "a");
	uint64_t number = open_stream(1, "a");
	assert_false(hub_reserve(hub));
	hub_end(hub, number);
	assert_true(streams[1].ended);
	assert_false(streams[0].ended);
	assert_true(hub_reserve(hub));
	hub_give_back(hub);
	/* It is gone: twice harms nobody. */
	hub_end(hub, number);
	hub_end(hub, 0);
	assert_false(streams[0].ended);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_task_ends_its_stream_and_no_other),
    CASE(test_what_is_known_is_not_said_again),
    CASE(test_one_stream_is_ended_alone),
};

RUN_TESTS(tests)
