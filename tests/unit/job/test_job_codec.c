#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/job.h"

static const enum encoding encodings[] = {ENCODING_JSON, ENCODING_MSGPACK};

static int decode_json(struct job *job, const char *text, struct error *err)
{
	memset(err, 0, sizeof(*err));
	return job_decode(job, ENCODING_JSON, (const uint8_t *)text, strlen(text), err);
}

static struct job full_job(void)
{
	struct job job;

	job_init(&job, JOB_MATCH);
	job.image_a = (struct job_image){.data = (const uint8_t *)"\xFF\xD8\x00\x01", .size = 4};
	job.image_b = (struct job_image){.url = "https://example.com/b.jpg?x=1"};
	job.user_id = "Zoë \"Z\"";
	job.collection = "staff";
	job.scene = "realtime";
	job.callback_url = "https://example.com/hook";
	job.reference = "row 17\n";
	job.options.has_threshold = true;
	job.options.threshold = 0.363;
	job.options.has_face_policy = true;
	job.options.face_policy = FACE_POLICY_REJECT_MULTIPLE;
	job.options.top_k = 5;
	return job;
}

static void test_json_form(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct job job = full_job();
	struct error err;

	(void)state;
	assert_int_equal(job_encode(&job, ENCODING_JSON, &body, &err), 0);
	assert_string_equal(
	    (char *)body.data,
	    "{\"op\":\"match\",\"reference\":\"row 17\\n\",\"scene\":\"realtime\","
	    "\"user_id\":\"Zoë \\\"Z\\\"\",\"collection\":\"staff\","
	    "\"callback\":{\"url\":\"https://example.com/hook\"},"
	    "\"options\":{\"threshold\":0.363,\"face_policy\":\"reject_multiple\",\"top_k\":5},"
	    "\"image_a\":{\"data\":\"/9gAAQ==\"},\"image_b\":{\"url\":\"https://example.com/b.jpg?x=1\"}}");
}

static void test_round_trip(void **state)
{
	struct job job = full_job();
	struct error err;

	(void)state;
	for (size_t i = 0; i < array_size(encodings); i++) {
		cleanup_with(buffer_finish) struct buffer body = {0};
		struct job back;
		assert_int_equal(job_encode(&job, encodings[i], &body, &err), 0);
		assert_int_equal(job_decode(&back, encodings[i], body.data, body.size, &err), 0);
		assert_int_equal(back.op, JOB_MATCH);
		assert_true(back.has_op);
		assert_int_equal(back.image_a.size, 4);
		assert_memory_equal(back.image_a.data, "\xFF\xD8\x00\x01", 4);
		assert_null(back.image_a.url);
		assert_null(back.image_b.data);
		assert_string_equal(back.image_b.url, "https://example.com/b.jpg?x=1");
		assert_string_equal(back.user_id, job.user_id);
		assert_string_equal(back.collection, "staff");
		assert_string_equal(back.scene, "realtime");
		assert_string_equal(back.callback_url, "https://example.com/hook");
		assert_string_equal(back.reference, "row 17\n");
		assert_true(back.options.has_threshold);
		assert_true(back.options.threshold == 0.363);
		assert_false(back.options.has_far);
		assert_true(back.options.has_face_policy);
		assert_int_equal(back.options.face_policy, FACE_POLICY_REJECT_MULTIPLE);
		assert_int_equal(back.options.top_k, 5);
		job_finish(&back);
	}
}

static void test_msgpack_images_are_not_copied(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct job job = full_job();
	struct job back;
	struct error err;

	(void)state;
	assert_int_equal(job_encode(&job, ENCODING_MSGPACK, &body, &err), 0);
	assert_int_equal(job_decode(&back, ENCODING_MSGPACK, body.data, body.size, &err), 0);
	assert_true(back.image_a.data > body.data && back.image_a.data < body.data + body.size);
	job_finish(&back);
}

static void test_defaults_nulls_and_unknown_fields(void **state)
{
	struct job job;
	struct error err;

	(void)state;
	assert_int_equal(
	    decode_json(&job,
			"{\"op\": \"verify\", \"user_id\": \"u\", \"image_a\": {\"data\": \"AA==\", \"url\": null},"
			" \"image_b\": null, \"scene\": null, \"collection\": \"\", \"callback\": null,"
			" \"options\": {\"new\": [1, {}]}, \"new\": {\"x\": null}}",
			&err),
	    0);
	assert_int_equal(job.op, JOB_VERIFY);
	assert_string_equal(job.scene, "batch");
	assert_string_equal(job.collection, "default");
	assert_string_equal(job.reference, "");
	assert_null(job.callback_url);
	assert_int_equal(job.image_a.size, 1);
	assert_false(job.options.has_face_policy);
	assert_int_equal(job.options.face_policy, FACE_POLICY_LARGEST);
	job_finish(&job);
}

#define IMAGES "\"image_a\": {\"data\": \"AA==\"}, \"image_b\": {\"data\": \"AA==\"}"

static void test_refusals_name_the_path(void **state)
{
	static const struct {
		const char *body;
		const char *text;
	} cases[] = {
	    {"{" IMAGES "}", "op: is missing"},
	    {"{\"op\": 5, " IMAGES "}", "op: a string was expected, found a whole number"},
	    {"{\"op\": \"dance\", " IMAGES "}", "op: is none of match, verify, search, enroll, unenroll"},
	    {"{\"op\": \"match\"}", "image_a: is missing"},
	    {"{\"op\": \"match\", \"image_a\": \"AA==\"}", "image_a: a map was expected, found a string"},
	    {"{\"op\": \"match\", \"image_a\": {}}", "image_a: has neither data nor url"},
	    {"{\"op\": \"match\", \"image_a\": {\"path\": \"/etc/passwd\"}}", "image_a: has neither data nor url"},
	    {"{\"op\": \"match\", \"image_a\": {\"data\": \"AA==\", \"url\": \"https://example.com/\"}}",
	     "image_a: has both data and url"},
	    {"{\"op\": \"match\", \"image_a\": {\"data\": \"A\"}}",
	     "image_a.data: no base64 at character 1 (standard alphabet, padded)"},
	    {"{\"op\": \"match\", \"image_a\": {\"data\": [1]}}",
	     "image_a.data: a string was expected, found an array"},
	    {"{\"op\": \"match\", \"image_a\": {\"data\": \"\"}}", "image_a.data: is empty"},
	    {"{\"op\": \"match\", \"image_a\": {\"url\": \"ftp://x\"}}",
	     "image_a.url: does not begin with http:// or https://"},
	    {"{\"op\": \"match\", \"callback\": \"https://example.com\", " IMAGES "}",
	     "callback: a map was expected, found a string"},
	    {"{\"op\": \"match\", \"callback\": {}, " IMAGES "}", "callback.url: is missing"},
	    {"{\"op\": \"match\", \"scene\": \"A B\", " IMAGES "}",
	     "scene: 1 to 32 characters of a-z, 0-9, _ and - were expected"},
	    {"{\"op\": \"match\", \"scene\": \"\", " IMAGES "}",
	     "scene: 1 to 32 characters of a-z, 0-9, _ and - were expected"},
	    {"{\"op\": \"match\", \"scene\": \"lunch\", " IMAGES "}", "scene: \"lunch\" is not known"},
	    {"{\"op\": \"match\", \"options\": [], " IMAGES "}", "options: a map was expected, found an array"},
	    {"{\"op\": \"match\", \"options\": {\"threshold\": \"0.5\"}, " IMAGES "}",
	     "options.threshold: a number was expected, found a string"},
	    {"{\"op\": \"match\", \"options\": {\"threshold\": 1.5}, " IMAGES "}",
	     "options.threshold: 1.5 is not within -1 to 1"},
	    {"{\"op\": \"match\", \"options\": {\"top_k\": 0}, " IMAGES "}",
	     "options.top_k: 0 is not within 1 to 1000"},
	    {"{\"op\": \"match\", \"options\": {\"face_policy\": \"best\"}, " IMAGES "}",
	     "options.face_policy: is none of largest, best_pair, reject_multiple"},
	    {"[]", "body: a map was expected"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct job job;
		struct error err;
		assert_int_equal(decode_json(&job, cases[i].body, &err), -EBADMSG);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		assert_string_equal(err.text, cases[i].text);
		job_finish(&job);
	}
}

static void test_a_refused_job_can_be_answered(void **state)
{
	struct job job;
	struct error err;

	(void)state;
	assert_int_equal(
	    decode_json(&job,
			"{\"op\": \"dance\", \"reference\": \"r1\", \"user_id\": \"u1\", \"scene\": \"realtime\","
			" \"callback\": {\"url\": \"https://example.com/hook\"}, " IMAGES "}",
			&err),
	    -EBADMSG);
	assert_false(job.has_op);
	assert_string_equal(job.reference, "r1");
	assert_string_equal(job.user_id, "u1");
	assert_string_equal(job.scene, "realtime");
	assert_string_equal(job.callback_url, "https://example.com/hook");
	assert_null(job.image_a.data);
	job_finish(&job);

	/* The first fault is reported; fields behind it are read all the same, faulty ones left out. */
	assert_int_equal(decode_json(&job,
				     "{\"reference\": 5, \"op\": \"search\", \"user_id\": [], \"scene\": \"A B\","
				     " \"callback\": {\"url\": \"https://me@example.com/hook\"}}",
				     &err),
			 -EBADMSG);
	assert_string_equal(err.text, "reference: a string was expected, found a whole number");
	assert_true(job.has_op);
	assert_int_equal(job.op, JOB_SEARCH);
	assert_string_equal(job.reference, "");
	assert_string_equal(job.user_id, "");
	assert_string_equal(job.scene, "");
	assert_null(job.callback_url);
	job_finish(&job);

	/* A scene that nobody said is the default one, also in a refusal. */
	assert_int_equal(decode_json(&job, "{}", &err), -EBADMSG);
	assert_string_equal(job.scene, "batch");
	job_finish(&job);

	assert_int_equal(decode_json(&job, "{", &err), -EBADMSG);
	assert_false(job.has_op);
	assert_string_equal(job.scene, "");
	assert_string_equal(job.reference, "");
	job_finish(&job);
}

static void test_encode_checks(void **state)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	struct job job = full_job();
	struct error err;

	(void)state;
	job.image_b = (struct job_image){0};
	assert_int_equal(job_encode(&job, ENCODING_JSON, &body, &err), -EBADMSG);
	assert_string_equal(err.text, "image_b: is missing");
	assert_int_equal(body.size, 0);
}

/* The size of a match whose first image has `size` bytes, or the refusal in `err`. */
static int encode_large(enum encoding encoding, size_t size, size_t *encoded, struct error *err)
{
	cleanup_with(buffer_finish) struct buffer body = {0};
	uint8_t *data = calloc(1, size);
	struct job job = full_job();

	assert_non_null(data);
	assert_int_equal(buffer_append(&body, "old", 3), 0);
	job.image_a = (struct job_image){.data = data, .size = size};
	int r = job_encode(&job, encoding, &body, err);
	*encoded = body.size - 3;
	assert_memory_equal(body.data, "old", 3);
	free(data);
	return r;
}

static void test_encoded_size_is_bounded(void **state)
{
	size_t encoded;
	size_t small;
	struct error err;

	(void)state;
	assert_int_equal(encode_large(ENCODING_MSGPACK, 1u << 16, &small, &err), 0);
	size_t largest = JOB_MAX_ENCODED_BYTES - (small - (1u << 16));
	assert_int_equal(encode_large(ENCODING_MSGPACK, largest, &encoded, &err), 0);
	assert_int_equal(encoded, JOB_MAX_ENCODED_BYTES);
	assert_int_equal(encode_large(ENCODING_MSGPACK, largest + 1, &encoded, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "bytes");
	assert_true(err.value == JOB_MAX_ENCODED_BYTES + 1);
	assert_true(err.limit == JOB_MAX_ENCODED_BYTES);
	assert_int_equal(encoded, 0);
	assert_int_equal(encode_large(ENCODING_MSGPACK, 2 * JOB_MAX_ENCODED_BYTES, &encoded, &err), -EBADMSG);
	assert_int_equal(err.code, ERROR_IMAGE_TOO_LARGE);
	/* Base64 makes four bytes of three. */
	assert_int_equal(encode_large(ENCODING_JSON, JOB_MAX_ENCODED_BYTES / 4 * 3, &encoded, &err), -EBADMSG);
	assert_int_equal(encode_large(ENCODING_JSON, JOB_MAX_ENCODED_BYTES / 4 * 3 - 1024, &encoded, &err), 0);
}

static void test_hostile_bodies_are_cheap(void **state)
{
	/* Declares 4 GiB, nests deep: refused before anything is allocated for it. */
	static const char *const bodies[] = {"\xDD\xFF\xFF\xFF\xFF", "\xDF\xFF\xFF\xFF\xFF", "\xC6\xFF\xFF\xFF\xFF"};
	struct job job;
	struct error err;
	char deep[4096];

	(void)state;
	for (size_t i = 0; i < array_size(bodies); i++) {
		assert_int_equal(job_decode(&job, ENCODING_MSGPACK, (const uint8_t *)bodies[i], 5, &err), -EBADMSG);
		job_finish(&job);
	}
	memset(deep, '[', sizeof(deep));
	assert_int_equal(job_decode(&job, ENCODING_JSON, (const uint8_t *)deep, sizeof(deep), &err), -EBADMSG);
	assert_non_null(strstr(err.text, "nested"));
	job_finish(&job);
	assert_int_equal(job_decode(&job, ENCODING_JSON, NULL, 0, &err), -EBADMSG);
	assert_string_equal(err.text, "body: is empty");
	job_finish(&job);
}

static int decode_framed(const char *text, const char *user_id, struct job *job, struct error *err)
{
	const struct job_frame frame = {.op = JOB_UNENROLL, .user_id = user_id};

	return job_decode_framed(job, &frame, ENCODING_JSON, (const uint8_t *)text, strlen(text), err);
}

static void test_a_frame_says_what_a_body_leaves_out(void **state)
{
	static const char *const contradictions[] = {"{\"op\":\"match\"}", "{\"op\":7}", "{\"user_id\":\"v\"}"};
	struct job job;
	struct error err;

	(void)state;
	assert_int_equal(decode_framed("{}", "u", &job, &err), 0);
	assert_int_equal(job.op, JOB_UNENROLL);
	assert_string_equal(job.user_id, "u");
	job_finish(&job);
	assert_int_equal(decode_framed("{\"op\":\"unenroll\",\"user_id\":\"u\"}", "u", &job, &err), 0);
	job_finish(&job);
	assert_int_equal(decode_framed("{\"user_id\":\"w\"}", NULL, &job, &err), 0);
	assert_string_equal(job.user_id, "w");
	job_finish(&job);
	for (size_t i = 0; i < array_size(contradictions); i++) {
		assert_int_equal(decode_framed(contradictions[i], "u", &job, &err), -EBADMSG);
		assert_int_equal(err.code, ERROR_INVALID_JOB);
		job_finish(&job);
	}
}

static int decode_when(const char *text, struct job_when *when)
{
	const struct job_frame frame = {.op = JOB_UNENROLL, .user_id = "u", .when = when};
	struct error err = {0};
	struct job job;

	*when = (struct job_when){0};
	int r = job_decode_framed(&job, &frame, ENCODING_JSON, (const uint8_t *)text, strlen(text), &err);
	job_finish(&job);
	return r;
}

static void test_a_body_may_say_when(void **state)
{
	static const char *const bad[] = {"{\"delay_ms\":-1}", "{\"delay_ms\":\"1\"}", "{\"delay_ms\":1.5}",
					  "{\"run_at\":5}", "{\"run_at\":\"soon\"}"};
	struct job_when when;
	struct error err;
	struct job job;

	(void)state;
	assert_int_equal(decode_when("{}", &when), 0);
	assert_false(when.has_delay || when.has_run_at);
	assert_int_equal(decode_when("{\"delay_ms\":7,\"run_at\":\"1970-01-01T00:00:01Z\"}", &when), 0);
	assert_true(when.has_delay && when.delay_ms == 7);
	assert_true(when.has_run_at && when.run_at_ms == 1000);
	for (size_t i = 0; i < array_size(bad); i++) {
		assert_int_equal(decode_when(bad[i], &when), -EBADMSG);
		assert_int_equal(decode_framed(bad[i], "u", &job, &err), 0);
		job_finish(&job);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_json_form),
    cmocka_unit_test(test_round_trip),
    cmocka_unit_test(test_msgpack_images_are_not_copied),
    cmocka_unit_test(test_defaults_nulls_and_unknown_fields),
    cmocka_unit_test(test_refusals_name_the_path),
    cmocka_unit_test(test_a_refused_job_can_be_answered),
    cmocka_unit_test(test_encode_checks),
    cmocka_unit_test(test_encoded_size_is_bounded),
    cmocka_unit_test(test_hostile_bodies_are_cheap),
    cmocka_unit_test(test_a_frame_says_what_a_body_leaves_out),
    cmocka_unit_test(test_a_body_may_say_when),
};

RUN_TESTS(tests)
