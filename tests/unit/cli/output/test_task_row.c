#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/task_row.h"

#define ID "01930000-0000-7000-8000-000000000001"
#define NOW INT64_C(1764108000000)

static const struct task_row failed = {
    .now =
	{
	    .task_id = ID,
	    .state = TASK_FINAL_FAILED,
	    .attempt = 2,
	    .at_ms = NOW,
	    .worker = "w\033",
	    .error_code = "no_face",
	    .error_text = "image_b: no\nface",
	    .op = "match",
	    .scene = "batch",
	    .user_id = "",
	    .collection = "",
	    .reference = "row 1",
	    .owner = "",
	    .accepted_at_ms = NOW - 1000,
	},
    .updated_at_ms = NOW + 5,
    .finished_at_ms = NOW + 5,
};

static struct task_row succeeded(struct buffer *body)
{
	struct task_row row = failed;
	struct reply reply;

	reply_init(&reply, ID, NULL);
	reply.state = TASK_SUCCEEDED;
	reply.op = JOB_MATCH;
	reply.has_op = true;
	reply.result.present = true;
	reply.result.has_match = true;
	reply.result.matched = true;
	reply.result.similarity = 0.75;
	assert_int_equal(reply_encode(&reply, ENCODING_JSON, body), 0);
	row.now.state = TASK_SUCCEEDED;
	row.now.error_code = "";
	row.now.error_text = "";
	row.now.reply = body->data;
	row.now.reply_size = body->size;
	return row;
}

static char *text_of(const struct task_row *row)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	task_row_text(row, out, (struct terminal){0});
	fclose(out);
	return text;
}

static void test_a_row(void **state)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	table_init(&table, task_row_columns, TASK_ROW_COLUMNS);
	task_row_add(&table, &failed);
	assert_int_equal(table_rows(&table), 1);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	fclose(out);
	assert_string_equal(
	    strchr(text, '\n') + 1,
	    ID "  final_failed    2  match  batch  -     row 1      2025-11-25T21:59:59Z  w\\x1b   no_face\n");
	free(text);
	table_finish(&table);
}

static void test_a_failed_task(void **state)
{
	(void)state;
	char *text = text_of(&failed);
	assert_string_equal(text, "task        " ID "\n"
				  "state       final_failed, attempt 2\n"
				  "op          match\n"
				  "scene       batch\n"
				  "reference   row 1\n"
				  "worker      w\\x1b\n"
				  "accepted    2025-11-25T21:59:59.000Z\n"
				  "updated     2025-11-25T22:00:00.005Z\n"
				  "finished    2025-11-25T22:00:00.005Z\n"
				  "error       no_face\n"
				  "reason      image_b: no\\nface\n");
	free(text);
}

static void test_a_task_with_a_reply(void **state)
{
	struct buffer body = {0};

	(void)state;
	struct task_row row = succeeded(&body);
	char *text = text_of(&row);
	assert_non_null(strstr(text, "same person"));
	assert_non_null(strstr(text, "0.7500"));
	free(text);
	json_t *object = task_row_json(&row);
	assert_true(
	    json_is_true(json_object_get(json_object_get(json_object_get(object, "reply"), "result"), "matched")));
	json_decref(object);
	/* What is no reply is left out, not believed. */
	row.now.reply_size /= 2;
	text = text_of(&row);
	assert_null(strstr(text, "same person"));
	free(text);
	object = task_row_json(&row);
	assert_true(json_is_null(json_object_get(object, "reply")));
	json_decref(object);
	buffer_finish(&body);
}

static void test_json(void **state)
{
	(void)state;
	json_t *object = task_row_json(&failed);
	assert_string_equal(json_string_value(json_object_get(object, "state")), "final_failed");
	assert_string_equal(json_string_value(json_object_get(json_object_get(object, "error"), "code")), "no_face");
	assert_true(json_is_null(json_object_get(object, "deadline")));
	assert_null(json_object_get(object, "reply"));
	json_decref(object);
}

static void test_a_transition(void **state)
{
	const struct task_transition t = {
	    .state = TASK_RETRYING,
	    .attempt = 1,
	    .at_ms = NOW,
	    .worker = "w",
	    .error_code = "attempt_timeout",
	    .error_text = "too \033 slow",
	    .next_attempt_at_ms = NOW + 1000,
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	task_row_transition_text(&t, out, (struct terminal){0});
	fclose(out);
	assert_string_equal(text,
			    "2025-11-25T22:00:00.000Z  retrying      attempt 1  w  attempt_timeout: too \\x1b slow, "
			    "again at 2025-11-25T22:00:01.000Z\n");
	free(text);
	json_t *object = task_row_transition_json(&t);
	assert_string_equal(json_string_value(json_object_get(object, "next_attempt_at")), "2025-11-25T22:00:01.000Z");
	json_decref(object);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_row), cmocka_unit_test(test_a_failed_task), cmocka_unit_test(test_a_task_with_a_reply),
    cmocka_unit_test(test_json),  cmocka_unit_test(test_a_transition),
};

RUN_TESTS(tests)
