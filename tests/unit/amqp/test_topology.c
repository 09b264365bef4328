#include "amqp/topology_declare.h"
#include "amqp/topology_plan.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static struct topology_plan plan;

static void fill(unsigned parts)
{
	topology_plan_fill(&plan, parts, &(struct topology_delays){0});
}

static const struct topology_queue *find_queue(const char *name)
{
	for (unsigned i = 0; i < plan.queue_count; i++)
		if (strcmp(plan.queues[i].name, name) == 0)
			return &plan.queues[i];
	return NULL;
}

static bool has_exchange(const char *name)
{
	for (unsigned i = 0; i < plan.exchange_count; i++)
		if (strcmp(plan.exchanges[i].name, name) == 0)
			return true;
	return false;
}

static const struct topology_argument *find_argument(const struct topology_queue *queue, const char *key)
{
	for (unsigned i = 0; i < topology_argument_count(queue); i++)
		if (strcmp(queue->arguments[i].key, key) == 0)
			return &queue->arguments[i];
	return NULL;
}

static void check_text(const struct topology_queue *queue, const char *key, const char *value)
{
	const struct topology_argument *argument = find_argument(queue, key);

	if (value) {
		assert_non_null(argument);
		assert_string_equal(argument->text, value);
	} else {
		assert_null(argument);
	}
}

static void check_number(const struct topology_queue *queue, const char *key, int64_t value)
{
	const struct topology_argument *argument = find_argument(queue, key);

	assert_non_null(argument);
	assert_null(argument->text);
	assert_int_equal(argument->number, value);
}

static void test_lanes(void **state)
{
	(void)state;
	fill(TOPOLOGY_JOBS);
	for (int lane = 0; lane < LANE_COUNT; lane++) {
		const struct topology_queue *queue = find_queue(topology_lane_queue(lane));
		assert_non_null(queue);
		check_text(queue, "x-queue-type", "quorum");
		check_number(queue, "x-delivery-limit", 20);
		check_text(queue, "x-overflow", "reject-publish");
		check_text(queue, "x-dead-letter-strategy", "at-least-once");
		check_text(queue, "x-dead-letter-exchange", "facefleet.dead");
		check_text(queue, "x-dead-letter-routing-key", "jobs");
	}
	check_number(find_queue(TOPOLOGY_DEAD_PARKED_QUEUE), "x-message-ttl", INT64_C(604800000));
	check_text(find_queue(TOPOLOGY_DEAD_JOBS_QUEUE), "x-dead-letter-exchange", NULL);
	assert_null(find_queue(TOPOLOGY_CALLBACKS_QUEUE));
	assert_null(find_queue(TOPOLOGY_TRACKER_QUEUE));
}

/* One queue that rejects makes the whole publish nacked, so those behind replies and events never do. */
static void test_queues_behind_replies_have_no_limit(void **state)
{
	(void)state;
	static const char *const names[] = {TOPOLOGY_CALLBACKS_QUEUE, TOPOLOGY_TRACKER_QUEUE};

	fill(TOPOLOGY_ALL);
	for (size_t i = 0; i < array_size(names); i++) {
		check_number(find_queue(names[i]), "x-delivery-limit", 1000000);
		assert_null(find_argument(find_queue(names[i]), "x-max-length"));
		assert_null(find_argument(find_queue(names[i]), "x-overflow"));
	}
}

static void test_retry_queues(void **state)
{
	(void)state;
	static const int64_t jobs[] = {10, 20, 0};
	char name[ENVELOPE_SHORT_SIZE];

	topology_plan_fill(&plan, TOPOLOGY_JOB_RETRIES, &(struct topology_delays){.jobs = jobs});
	assert_int_equal(plan.queue_count, 4);
	topology_retry_queue(TOPOLOGY_RETRY_BATCH, 20, name);
	assert_string_equal(name, "facefleet.retry.batch.20");
	check_number(find_queue(name), "x-message-ttl", 20);
	check_text(find_queue(name), "x-dead-letter-exchange", "");
	check_text(find_queue(name), "x-dead-letter-routing-key", "facefleet.jobs.batch");
	check_text(find_queue(name), "x-dead-letter-strategy", "at-least-once");
	check_text(find_queue(name), "x-overflow", "reject-publish");
}

static void test_built_in_delays_serve_every_scene(void **state)
{
	(void)state;
	char name[ENVELOPE_SHORT_SIZE];

	fill(TOPOLOGY_JOB_RETRIES | TOPOLOGY_CALLBACK_RETRIES);
	for (unsigned i = 0; scene_backoffs[i] != 0; i++) {
		topology_retry_queue(TOPOLOGY_RETRY_BATCH, scene_backoffs[i], name);
		assert_non_null(find_queue(name));
		topology_retry_queue(TOPOLOGY_RETRY_REALTIME, scene_backoffs[i], name);
		assert_non_null(find_queue(name));
	}
	topology_retry_queue(TOPOLOGY_RETRY_CALLBACKS, 5000, name);
	assert_non_null(find_queue(name));
}

/* Whatever parts are asked for, nothing is bound to or from what they do not declare. */
static void test_every_selection_stands_alone(void **state)
{
	(void)state;
	for (unsigned parts = 0; parts <= TOPOLOGY_ALL; parts++) {
		fill(parts);
		for (unsigned i = 0; i < plan.binding_count; i++) {
			assert_true(has_exchange(plan.bindings[i].source));
			assert_true(plan.bindings[i].to_exchange ? has_exchange(plan.bindings[i].destination)
								 : find_queue(plan.bindings[i].destination) != NULL);
		}
	}
	assert_true(plan.queue_count <= TOPOLOGY_MAX_QUEUES);
}

static void test_read_difference(void **state)
{
	(void)state;
	struct topology_difference d;

	assert_int_equal(topology_read_difference(
			     "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue 'it' in vhost '/': "
			     "received '1000' but current is '2000'",
			     &d),
			 0);
	assert_string_equal(d.key, "x-message-ttl");
	assert_string_equal(d.wanted, "1000");
	assert_string_equal(d.existing, "2000");

	assert_int_equal(topology_read_difference(
			     "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': "
			     "received none but current is the value '5' of type 'signedint'",
			     &d),
			 0);
	assert_string_equal(d.key, "x-max-length");
	assert_string_equal(d.wanted, "");
	assert_string_equal(d.existing, "5");

	static const char *const others[] = {
	    "",
	    "PRECONDITION_FAILED - unknown delivery tag 7",
	    "inequivalent arg 'a' for queue 'q' in vhost '/': received 'x",
	    "inequivalent arg 'a' for queue 'q' in vhost '/': received 'x' but current is ",
	    "inequivalent arg ",
	};
	for (size_t i = 0; i < array_size(others); i++)
		assert_int_equal(topology_read_difference(others[i], &d), -EINVAL);
}

static char *printed(bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	topology_print(out, json);
	fclose(out);
	return text;
}

static void test_print(void **state)
{
	(void)state;
	char *text = printed(false);
	assert_non_null(strstr(text, "x-dead-letter-routing-key = \"facefleet.jobs.batch\""));
	free(text);

	text = printed(true);
	json_t *all = json_loads(text, 0, NULL);
	fill(TOPOLOGY_ALL);
	assert_int_equal(json_array_size(json_object_get(all, "queues")), plan.queue_count);
	assert_int_equal(json_array_size(json_object_get(all, "exchanges")), plan.exchange_count);
	assert_int_equal(json_array_size(json_object_get(all, "bindings")), plan.binding_count);
	json_decref(all);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_lanes),
    cmocka_unit_test(test_queues_behind_replies_have_no_limit),
    cmocka_unit_test(test_retry_queues),
    cmocka_unit_test(test_built_in_delays_serve_every_scene),
    cmocka_unit_test(test_every_selection_stands_alone),
    cmocka_unit_test(test_read_difference),
    cmocka_unit_test(test_print),
};

RUN_TESTS(tests)
