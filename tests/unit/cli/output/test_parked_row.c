#include "run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/parked_row.h"
#include "job/job.h"
#include "job/reply.h"

#define ID "01930000-0000-7000-8000-000000000001"

static const uint8_t picture[] = "SECRETPIXELS";

static struct amqp_delivery parked_job(struct buffer *body, enum encoding encoding)
{
	struct amqp_delivery parked = {0};
	struct error err = {0};
	struct job job;

	job_init(&job, JOB_MATCH);
	job.user_id = "an\033n";
	job.reference = "row 1";
	job.image_a = (struct job_image){.data = picture, .size = sizeof(picture)};
	job.image_b = (struct job_image){.url = "https://example.com/b.jpg"};
	job.options.has_threshold = true;
	job.options.threshold = 0.5;
	assert_int_equal(job_encode(&job, encoding, body, &err), 0);
	strcpy(parked.envelope.type, ENVELOPE_TYPE_JOB);
	strcpy(parked.envelope.content_type, encoding_content_type(encoding));
	strcpy(parked.envelope.message_id, ID);
	strcpy(parked.envelope.reason, "killed \033 workers");
	strcpy(parked.envelope.origin, "facefleet.jobs.batch");
	parked.envelope.sent_ms = 1764108000000;
	parked.envelope.attempt = 1;
	parked.body = body->data;
	parked.body_size = body->size;
	return parked;
}

static char *printed(const struct amqp_delivery *parked, int (*print)(const struct amqp_delivery *, FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(print(parked, out), 0);
	fclose(out);
	return text;
}

static void assert_table(const struct amqp_delivery *parked, const char *expected)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_init(&table, parked_row_columns, PARKED_ROW_COLUMNS);
	parked_row_add(&table, parked);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	fclose(out);
	assert_string_equal(strchr(text, '\n') + 1, expected);
	free(text);
	table_finish(&table);
}

static void test_a_job_in_a_table(void **state)
{
	struct buffer body = {0};
	char expected[256];

	(void)state;
	struct amqp_delivery parked = parked_job(&body, ENCODING_MSGPACK);
	snprintf(expected, sizeof(expected),
		 ID "  job   match  an\\x1bn  facefleet.jobs.batch  2025-11-25T22:00:00Z  %5zu  killed \\x1b workers\n",
		 body.size);
	assert_table(&parked, expected);
	buffer_finish(&body);
}

static void test_nonsense_in_a_table(void **state)
{
	struct amqp_delivery parked = {.body = (uint8_t *)"\xc1", .body_size = 1};

	(void)state;
	assert_table(&parked, "-   unknown  -   -     -       -              1  -\n");
}

static void assert_json(const json_t *object, const char *key, const char *expected)
{
	assert_string_equal(json_string_value(json_object_get(object, key)), expected);
}

static void test_a_job_as_json(void **state)
{
	(void)state;
	for (enum encoding encoding = ENCODING_JSON; encoding <= ENCODING_MSGPACK; encoding++) {
		struct buffer bytes = {0};
		struct amqp_delivery parked = parked_job(&bytes, encoding);
		char *text = printed(&parked, parked_row_show);
		json_t *shown = json_loads(text, 0, NULL);
		assert_non_null(shown);
		assert_null(strstr(text, "SECRET"));
		assert_json(shown, "id", ID);
		assert_json(shown, "parked_at", "2025-11-25T22:00:00.000Z");
		assert_json(shown, "reason", "killed \033 workers");
		const json_t *body = json_object_get(shown, "body");
		assert_json(body, "op", "match");
		assert_json(body, "user_id", "an\033n");
		assert_int_equal(json_integer_value(json_object_get(json_object_get(body, "image_a"), "bytes")),
				 sizeof(picture));
		assert_json(json_object_get(body, "image_b"), "url", "https://example.com/b.jpg");
		assert_true(json_is_null(json_object_get(shown, "body_error")));
		json_decref(shown);
		free(text);

		text = printed(&parked, parked_row_json);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		shown = json_loads(text, 0, NULL);
		assert_json(shown, "op", "match");
		assert_json(shown, "type", "job");
		assert_int_equal(json_integer_value(json_object_get(shown, "bytes")), bytes.size);
		json_decref(shown);
		free(text);
		buffer_finish(&bytes);
	}
}

static void test_a_callback_as_json(void **state)
{
	struct amqp_delivery parked = {0};
	struct buffer bytes = {0};
	struct reply reply;

	(void)state;
	reply_init(&reply, ID, NULL);
	reply.state = TASK_SUCCEEDED;
	strcpy(reply.user_id, "ann");
	assert_int_equal(reply_encode(&reply, ENCODING_MSGPACK, &bytes), 0);
	strcpy(parked.envelope.type, ENVELOPE_TYPE_REPLY);
	strcpy(parked.envelope.content_type, encoding_content_type(ENCODING_MSGPACK));
	parked.body = bytes.data;
	parked.body_size = bytes.size;
	char *text = printed(&parked, parked_row_show);
	json_t *shown = json_loads(text, 0, NULL);
	assert_json(json_object_get(shown, "body"), "user_id", "ann");
	assert_json(json_object_get(shown, "body"), "task_id", ID);
	json_decref(shown);
	free(text);
	buffer_finish(&bytes);
}

static void test_what_cannot_be_read_says_why(void **state)
{
	struct buffer bytes = {0};

	(void)state;
	struct amqp_delivery parked = parked_job(&bytes, ENCODING_JSON);
	parked.body_size /= 2;
	char *text = printed(&parked, parked_row_show);
	json_t *shown = json_loads(text, 0, NULL);
	assert_true(json_is_null(json_object_get(shown, "body")));
	assert_true(json_is_string(json_object_get(shown, "body_error")));
	json_decref(shown);
	free(text);
	buffer_finish(&bytes);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_job_in_a_table),
    cmocka_unit_test(test_nonsense_in_a_table),
    cmocka_unit_test(test_a_job_as_json),
    cmocka_unit_test(test_a_callback_as_json),
    cmocka_unit_test(test_what_cannot_be_read_says_why),
};

RUN_TESTS(tests)
