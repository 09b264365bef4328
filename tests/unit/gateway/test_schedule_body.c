#include "gateway/schedule_body.h"

#include <string.h>

#include "gateway/problems.h"
#include "run.h"

#define JOB "\"job\": {\"op\": \"search\", \"image_a\": {\"data\": \"cGljdHVyZQ==\"}}"

static int read_text(struct schedule_body *body, const char *text, struct http_problem *problem)
{
	return schedule_body_read(body, "application/json; charset=utf-8", (const uint8_t *)text, strlen(text),
				  problem);
}

static void test_what_is_read(void **state)
{
	struct http_problem problem;
	struct schedule_body body;

	(void)state;
	const char *text =
	    "{\"name\": \"n\", \"cron\": \"@daily\", \"time_zone\": \"Europe/Berlin\", \"misfire\": \"skip\", "
	    "\"at\": \"2026-12-24T18:00:00+01:00\", \"in_ms\": 0, \"every_ms\": 1000, " JOB "}";
	assert_int_equal(read_text(&body, text, &problem), 0);
	assert_string_equal(body.when.name, "n");
	assert_string_equal(body.when.cron, "@daily");
	assert_string_equal(body.when.time_zone, "Europe/Berlin");
	assert_true(body.when.has_misfire && body.when.misfire == MISFIRE_SKIP);
	assert_true(body.when.has_at && body.when.has_in && body.when.has_every);
	assert_int_equal(body.when.at_ms, INT64_C(1798131600000));
	assert_int_equal(body.when.in_ms, 0);
	assert_int_equal(body.when.every_ms, 1000);
	assert_int_equal(body.job.op, JOB_SEARCH);
	assert_int_equal(body.job.image_a.size, 7);
	schedule_body_finish(&body);
}

static void test_what_is_left_out(void **state)
{
	struct http_problem problem;
	struct schedule_body body;

	(void)state;
	assert_int_equal(read_text(&body, "{" JOB ", \"name\": null}", &problem), 0);
	assert_null(body.when.name);
	assert_null(body.when.cron);
	assert_null(body.when.time_zone);
	assert_false(body.when.has_at || body.when.has_in || body.when.has_every || body.when.has_misfire);
	schedule_body_finish(&body);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} cases[] = {
	    {"", "body"},
	    {"[]", "body"},
	    {"{}", "job"},
	    {"{\"job\": 1}", "job"},
	    {"{\"job\": {}}", "job.op"},
	    {"{\"job\": {\"op\": \"dance\"}}", "job.op"},
	    {"{\"job\": {\"op\": \"search\"}}", "job.image_a"},
	    {"{\"job\": {\"op\": \"search\", \"image_a\": {}}}", "job.image_a"},
	    {"{\"job\": {\"op\": \"search\", \"image_a\": {\"data\": \"!\"}}}", "job.image_a.data"},
	    {"{\"job\": {\"op\": \"search\", \"image_a\": {\"url\": \"x\"}}}", "job.image_a.url"},
	    {"{\"job\": {\"op\": \"verify\", \"image_a\": {\"url\": \"https://x/\"}}}", "job.user_id"},
	    {"{\"in_ms\": -1, " JOB "}", "in_ms"},
	    {"{\"in_ms\": 1.5, " JOB "}", "in_ms"},
	    {"{\"in_ms\": \"1\", " JOB "}", "in_ms"},
	    {"{\"every_ms\": 999, " JOB "}", "every_ms"},
	    {"{\"every_ms\": 316224000001, " JOB "}", "every_ms"},
	    {"{\"at\": \"tomorrow\", " JOB "}", "at"},
	    {"{\"cron\": 1, " JOB "}", "cron"},
	    {"{\"misfire\": \"run-once\", " JOB "}", "misfire"},
	    {"{\"name\": \"a\\u0000b\", " JOB "}", "name"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct http_problem problem;
		struct schedule_body body;

		if (read_text(&body, cases[i].text, &problem) == 0)
			fail_msg("%s was taken", cases[i].text);
		assert_ptr_equal(problem.kind, &problem_invalid_schedule);
		if (strcmp(problem.field, cases[i].field) != 0)
			fail_msg("%s: \"%s\" is to blame: %s", cases[i].text, problem.field, problem.detail);
		schedule_body_finish(&body);
	}
}

static void test_other_types(void **state)
{
	static const char *const types[] = {NULL, "", "text/plain", "application/msgpack", "multipart/form-data"};

	(void)state;
	for (size_t i = 0; i < array_size(types); i++) {
		struct http_problem problem;
		struct schedule_body body;

		assert_true(schedule_body_read(&body, types[i], (const uint8_t *)"{}", 2, &problem) < 0);
		assert_ptr_equal(problem.kind, &problem_unsupported_media_type);
		schedule_body_finish(&body);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_is_read),
    cmocka_unit_test(test_what_is_left_out),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_other_types),
};

RUN_TESTS(tests)
