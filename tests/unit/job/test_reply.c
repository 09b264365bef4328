#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/reply.h"

#define TASK_ID "0193a5d0-7c00-7abc-8def-0123456789ab"

static const enum encoding encodings[] = {ENCODING_JSON, ENCODING_MSGPACK};

static void fill_face(struct reply_face *face)
{
	face->present = true;
	for (int i = 0; i < 4; i++)
		face->box[i] = 10.5 + i;
	face->score = 0.75;
	for (int i = 0; i < 5; i++) {
		face->landmarks[i][0] = i;
		face->landmarks[i][1] = i + 0.25;
	}
	face->faces = 2;
	face->index = 1;
}

static void init_match(struct reply *reply)
{
	struct job job;

	job_init(&job, JOB_MATCH);
	job.user_id = "u1";
	job.reference = "r1";
	job.callback_url = "https://example.com/hook";
	reply_init(reply, TASK_ID, &job);
	reply->state = TASK_SUCCEEDED;
	reply->attempt = 2;
	reply->result.present = true;
	reply->result.has_match = true;
	reply->result.matched = true;
	reply->result.similarity = 0.73f;
	reply->result.threshold = 0.36;
	fill_face(&reply->result.face_a);
	fill_face(&reply->result.face_b);
	timings_add(&reply->timings, STAGE_QUEUE, 1.5);
	timings_add(&reply->timings, STAGE_DECODE, 2.25);
	timings_add(&reply->timings, STAGE_DECODE, 1);
	timings_add(&reply->timings, STAGE_TOTAL, 4.00049);
	strcpy(reply->worker, "host-1");
	strcpy(reply->model, "sha256:abc");
	reply->accepted_at_ms = 1764082387123;
	reply->finished_at_ms = 1764082387223;
}

static void add_candidates(struct reply *reply, size_t count)
{
	reply->result.has_candidates = true;
	reply->result.candidates = calloc(count, sizeof(struct reply_candidate));
	assert_non_null(reply->result.candidates);
	reply->result.candidate_count = count;
	for (size_t i = 0; i < count; i++) {
		struct reply_candidate *c = &reply->result.candidates[i];
		snprintf(c->user_id, sizeof(c->user_id), "user-%zu", i);
		strcpy(c->image_id, TASK_ID);
		c->similarity = 0.5;
	}
}

#define FACE                                                                                                           \
	"{\"box\":[10.500,11.500,12.500,13.500],\"score\":0.75,\"landmarks\":[[0.000,0.250],[1.000,1.250],"            \
	"[2.000,2.250],[3.000,3.250],[4.000,4.250]],\"faces\":2,\"index\":1}"

static void test_json_form(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	init_match(&reply);
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_string_equal(
	    (char *)body.data,
	    "{\"task_id\":\"" TASK_ID "\",\"op\":\"match\",\"user_id\":\"u1\",\"collection\":\"default\","
	    "\"reference\":\"r1\",\"scene\":\"batch\",\"state\":\"succeeded\",\"attempt\":2,"
	    "\"result\":{\"matched\":true,\"similarity\":0.730000019,\"threshold\":0.36,"
	    "\"face_policy\":\"largest\",\"face_a\":" FACE ",\"face_b\":" FACE ",\"candidates\":null},"
	    "\"error\":null,\"timings_ms\":{\"queue\":1.500,\"decode\":3.250,\"total\":4.000},"
	    "\"worker\":\"host-1\",\"model\":\"sha256:abc\","
	    "\"accepted_at\":\"2025-11-25T14:53:07.123Z\",\"finished_at\":\"2025-11-25T14:53:07.223Z\"}");
}

static void test_unreadable_job(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, "", NULL);
	reply.state = TASK_FINAL_FAILED;
	error_set_limit(&reply.error, ERROR_IMAGE_TOO_LARGE, "width", 30000, 12000, "image_b: too wide");
	reply.error.image = 'b';
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_string_equal(
	    (char *)body.data,
	    "{\"task_id\":null,\"op\":null,\"user_id\":null,\"collection\":null,\"reference\":null,"
	    "\"scene\":null,\"state\":\"final_failed\",\"attempt\":0,\"result\":null,"
	    "\"error\":{\"code\":\"image_too_large\",\"message\":\"image_b: too wide\",\"retryable\":false,"
	    "\"image\":\"b\",\"details\":{\"measure\":\"width\",\"value\":30000,\"limit\":12000}},"
	    "\"timings_ms\":{},\"worker\":null,\"model\":null,\"accepted_at\":null,\"finished_at\":null}");
}

static void assert_same_face(const struct reply_face *a, const struct reply_face *b)
{
	assert_int_equal(a->present, b->present);
	assert_memory_equal(a->box, b->box, sizeof(a->box));
	assert_memory_equal(a->landmarks, b->landmarks, sizeof(a->landmarks));
	assert_true(a->score == b->score);
	assert_int_equal(a->faces, b->faces);
	assert_int_equal(a->index, b->index);
}

static void test_round_trip_success(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(encodings); i++) {
		cleanup_with(buffer_finish) struct buffer body = {0};
		struct reply reply;
		struct reply back;
		struct error err;
		init_match(&reply);
		add_candidates(&reply, 3);
		assert_int_equal(reply_encode(&reply, encodings[i], &body), 0);
		assert_int_equal(reply_decode(&back, encodings[i], body.data, body.size, &err), 0);
		assert_string_equal(back.task_id, TASK_ID);
		assert_true(back.has_op && back.op == JOB_MATCH);
		assert_string_equal(back.user_id, "u1");
		assert_string_equal(back.collection, "default");
		assert_string_equal(back.reference, "r1");
		assert_string_equal(back.scene, "batch");
		assert_string_equal(back.callback_url, "");
		assert_int_equal(back.state, TASK_SUCCEEDED);
		assert_int_equal(back.attempt, 2);
		assert_true(back.result.present && back.result.has_match && back.result.matched);
		assert_true((float)back.result.similarity == 0.73f);
		assert_true(back.result.threshold == 0.36);
		assert_same_face(&back.result.face_a, &reply.result.face_a);
		assert_same_face(&back.result.face_b, &reply.result.face_b);
		assert_true(back.result.has_candidates);
		assert_int_equal(back.result.candidate_count, 3);
		assert_string_equal(back.result.candidates[2].user_id, "user-2");
		assert_string_equal(back.result.candidates[2].image_id, TASK_ID);
		assert_true(back.result.candidates[2].similarity == 0.5);
		assert_false(error_is_set(&back.error));
		assert_true(back.timings.ms[STAGE_QUEUE] == 1.5);
		assert_true(back.timings.ms[STAGE_DECODE] == 3.25);
		assert_true(back.timings.ms[STAGE_TOTAL] == 4);
		assert_true(back.timings.ms[STAGE_FETCH] < 0);
		assert_string_equal(back.worker, "host-1");
		assert_string_equal(back.model, "sha256:abc");
		assert_int_equal(back.accepted_at_ms, 1764082387123);
		assert_int_equal(back.finished_at_ms, 1764082387223);
		reply_finish(&reply);
		reply_finish(&back);
	}
}

static void test_round_trip_failure(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(encodings); i++) {
		cleanup_with(buffer_finish) struct buffer body = {0};
		struct reply reply;
		struct reply back;
		struct error err;
		reply_init(&reply, TASK_ID, NULL);
		reply.state = TASK_FINAL_FAILED;
		error_set(&reply.error, ERROR_ATTEMPT_TIMEOUT, "out of time");
		reply.error.image = 'a';
		assert_int_equal(reply_encode(&reply, encodings[i], &body), 0);
		assert_int_equal(reply_decode(&back, encodings[i], body.data, body.size, &err), 0);
		assert_false(back.has_op);
		assert_false(back.result.present);
		assert_int_equal(back.error.code, ERROR_ATTEMPT_TIMEOUT);
		assert_int_equal(back.error.class, ERROR_CLASS_RETRY);
		assert_int_equal(back.error.image, 'a');
		assert_string_equal(back.error.text, "out of time");
		assert_string_equal(back.error.measure, "");
		reply_finish(&back);
	}
}

static void test_an_empty_search_is_a_success(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;
	struct reply back;
	struct error err;

	(void)state;
	reply_init(&reply, TASK_ID, NULL);
	reply.state = TASK_SUCCEEDED;
	reply.result.present = true;
	reply.result.has_candidates = true;
	reply.result.threshold = 0.4;
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_non_null(strstr((char *)body.data, "\"matched\":null,\"similarity\":null,\"threshold\":0.4"));
	assert_non_null(strstr((char *)body.data, "\"candidates\":[]"));
	assert_int_equal(reply_decode(&back, ENCODING_JSON, body.data, body.size, &err), 0);
	assert_true(back.result.has_candidates);
	assert_int_equal(back.result.candidate_count, 0);
	assert_false(back.result.has_match);
	reply_finish(&back);
}

static void test_a_programs_own_error_is_internal(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, TASK_ID, NULL);
	reply.state = TASK_FINAL_FAILED;
	error_set(&reply.error, ERROR_MODEL, "no \xFF model"); /* a message of a library, in no known encoding */
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_non_null(strstr((char *)body.data, "\"code\":\"internal\",\"message\":\"no \xEF\xBF\xBD model\""));
}

static void test_candidates_are_cut_to_fit(void **state)
{
	cleanup_with(buffer_finish) struct buffer whole = {0};
	struct reply reply;
	struct reply back;
	struct error err;

	(void)state;
	init_match(&reply);
	add_candidates(&reply, 1000);
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &whole), 0);
	for (size_t max = 2000; max < whole.size + 200; max += 1777) {
		cleanup_with(buffer_finish) struct buffer body = {0};
		assert_int_equal(buffer_append(&body, "old", 3), 0);
		assert_int_equal(reply_encode_json_within(&reply, max, &body), 0);
		assert_memory_equal(body.data, "old", 3);
		assert_in_range(body.size - 3, 1, max);
		assert_int_equal(reply_decode(&back, ENCODING_JSON, body.data + 3, body.size - 3, &err), 0);
		/* As many as fit: one more candidate is about 90 bytes. */
		if (back.result.candidate_count < 1000)
			assert_true(body.size - 3 + 100 > max);
		assert_string_equal(back.result.candidates[0].user_id, "user-0");
		reply_finish(&back);
	}
	reply_finish(&reply);
}

static void test_a_candidate_is_removed(void **state)
{
	struct reply reply;

	(void)state;
	init_match(&reply);
	assert_false(reply_remove_candidate(&reply, "user-0"));
	add_candidates(&reply, 4);
	strcpy(reply.result.candidates[3].user_id, "user-1");
	assert_false(reply_remove_candidate(&reply, "user-"));
	assert_true(reply_remove_candidate(&reply, "user-1"));
	assert_int_equal(reply.result.candidate_count, 2);
	assert_string_equal(reply.result.candidates[0].user_id, "user-0");
	assert_string_equal(reply.result.candidates[1].user_id, "user-2");
	assert_false(reply_remove_candidate(&reply, "user-1"));
	reply_finish(&reply);
}

static void test_what_cannot_fit(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	init_match(&reply);
	assert_int_equal(reply_encode_json_within(&reply, 0, &body), -EMSGSIZE);
	assert_int_equal(reply_encode_json_within(&reply, 500, &body), -EMSGSIZE);
	add_candidates(&reply, 5);
	assert_int_equal(reply_encode_json_within(&reply, 500, &body), -EMSGSIZE);
	assert_int_equal(body.size, 0);
	reply_finish(&reply);
}

static void test_decode_refusals(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} cases[] = {
	    {"{}", "state: is missing"},
	    {"{\"state\": \"running\"}", "state: is not the last state of a task"},
	    {"{\"task_id\": \"7\", \"state\": \"succeeded\"}", "task_id: is not a UUID in lower case"},
	    {"{\"scene\": \"A.B\", \"state\": \"succeeded\"}", "scene: is not the name of a scene"},
	    {"{\"state\": \"succeeded\", \"attempt\": -1}", "attempt: -1 is not within 0 to 2147483647"},
	    {"{\"state\": \"succeeded\", \"result\": {\"matched\": true}}", "result.similarity: is missing"},
	    {"{\"state\": \"succeeded\", \"result\": {\"face_a\": {}}}", "result.face_a.box: is missing"},
	    {"{\"state\": \"succeeded\", \"result\": {\"face_a\": {\"box\": [1, 2, 3]}}}",
	     "result.face_a.box: has 3 elements, 4 to 4 were expected"},
	    {"{\"state\": \"succeeded\", \"result\": {\"face_b\": {\"box\": [1, 2, 3, \"4\"]}}}",
	     "result.face_b.box[3]: a number was expected, found a string"},
	    {"{\"state\": \"succeeded\", \"result\": {\"candidates\": [{\"user_id\": \"u\"}]}}",
	     "result.candidates[0].similarity: is missing"},
	    {"{\"state\": \"succeeded\", \"timings_ms\": {\"queue\": -1}}", "timings_ms.queue: is negative"},
	    {"{\"state\": \"succeeded\", \"finished_at\": \"now\"}", "finished_at: is not an RFC 3339 time"},
	    {"{\"state\": \"final_failed\", \"error\": {}}", "error.code: is missing"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct reply reply = {.attempt = 77};
		struct error err;
		const char *body = cases[i].body;
		assert_int_equal(reply_decode(&reply, ENCODING_JSON, (const uint8_t *)body, strlen(body), &err),
				 -EBADMSG);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(reply.attempt, 77);
	}
}

static void test_errors_of_a_later_version(void **state)
{
	static const char body[] =
	    "{\"state\": \"final_failed\", \"error\": {\"code\": \"out_of_cheese\","
	    " \"message\": \"m\", \"retryable\": true, \"details\": {\"hint\": []}}, \"new\": 1}";
	struct reply reply;
	struct error err;

	(void)state;
	assert_int_equal(reply_decode(&reply, ENCODING_JSON, (const uint8_t *)body, strlen(body), &err), 0);
	assert_int_equal(reply.error.code, ERROR_INTERNAL);
	assert_int_equal(reply.error.class, ERROR_CLASS_RETRY);
	reply_finish(&reply);
}

static void test_what_was_left_out_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(encodings); i++) {
		cleanup_with(buffer_finish) struct buffer body = {0};
		struct reply reply;
		struct reply back;
		struct error err;
		init_match(&reply);
		reply.degraded = 1u << DEGRADED_CANDIDATES | 1u << DEGRADED_TIMINGS;
		assert_int_equal(reply_encode(&reply, encodings[i], &body), 0);
		assert_int_equal(reply_decode(&back, encodings[i], body.data, body.size, &err), 0);
		assert_int_equal(back.degraded, reply.degraded);
		assert_true(back.timings.ms[STAGE_QUEUE] == 1.5);
		assert_true(back.timings.ms[STAGE_DECODE] < 0);
		assert_true(back.timings.ms[STAGE_TOTAL] == 4.0);
		reply_finish(&back);
	}
}

static void test_degraded_form(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct reply reply;

	(void)state;
	init_match(&reply);
	reply.degraded = 1u << DEGRADED_TIMINGS;
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, &body), 0);
	assert_non_null(strstr((char *)body.data, "\"timings_ms\":{\"queue\":1.500,\"total\":4.000},"
						  "\"degraded\":[\"timings\"],\"worker\":"));
}

static void test_degradations_of_a_later_version(void **state)
{
	static const char body[] = "{\"state\": \"succeeded\", \"degraded\": [\"colours\", \"timings\"]}";
	static const char bad[] = "{\"state\": \"succeeded\", \"degraded\": [1]}";
	struct reply reply;
	struct error err;

	(void)state;
	assert_int_equal(reply_decode(&reply, ENCODING_JSON, (const uint8_t *)body, strlen(body), &err), 0);
	assert_int_equal(reply.degraded, 1u << DEGRADED_TIMINGS);
	reply_finish(&reply);
	assert_int_equal(reply_decode(&reply, ENCODING_JSON, (const uint8_t *)bad, strlen(bad), &err), -EBADMSG);
	assert_string_equal(err.text, "degraded[0]: a string was expected, found a whole number");
}

static void test_routing_keys(void **state)
{
	char key[ENVELOPE_SHORT_SIZE];
	struct reply reply;

	(void)state;
	init_match(&reply);
	reply_routing_key(&reply, key);
	assert_string_equal(key, "task.batch.succeeded.callback");
	reply.callback_url[0] = '\0';
	reply_routing_key(&reply, key);
	assert_string_equal(key, "task.batch.succeeded.quiet");
	reply_init(&reply, "", NULL);
	reply.state = TASK_FINAL_FAILED;
	reply_routing_key(&reply, key);
	assert_string_equal(key, "task.unknown.final_failed.quiet");
}

static void test_names(void **state)
{
	static const char *const states[] = {"pending", "running", "succeeded", "failed", "retrying", "final_failed"};
	static const char *const stages[] = {"queue", "fetch", "decode",  "detect",
					     "align", "embed", "compare", "total"};
	enum task_state task_state;

	(void)state;
	for (size_t i = 0; i < array_size(states); i++) {
		assert_string_equal(task_state_name((enum task_state)i), states[i]);
		assert_int_equal(task_state_from_name(states[i], &task_state), 0);
		assert_int_equal(task_state, i);
	}
	assert_int_equal(task_state_from_name("done", &task_state), -EINVAL);
	for (size_t i = 0; i < array_size(stages); i++)
		assert_string_equal(stage_name((enum stage)i), stages[i]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_form),
    cmocka_unit_test(test_unreadable_job),
    cmocka_unit_test(test_round_trip_success),
    cmocka_unit_test(test_round_trip_failure),
    cmocka_unit_test(test_an_empty_search_is_a_success),
    cmocka_unit_test(test_a_programs_own_error_is_internal),
    cmocka_unit_test(test_candidates_are_cut_to_fit),
    cmocka_unit_test(test_a_candidate_is_removed),
    cmocka_unit_test(test_what_cannot_fit),
    cmocka_unit_test(test_decode_refusals),
    cmocka_unit_test(test_errors_of_a_later_version),
    cmocka_unit_test(test_what_was_left_out_is_said),
    cmocka_unit_test(test_degraded_form),
    cmocka_unit_test(test_degradations_of_a_later_version),
    cmocka_unit_test(test_routing_keys),
    cmocka_unit_test(test_names),
};

RUN_TESTS(tests)
