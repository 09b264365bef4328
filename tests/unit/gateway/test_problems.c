#include "gateway/problems.h"

#include <string.h>

#include "run.h"

static void test_which_field_is_to_blame(void **state)
{
	static const struct {
		const char *text;
		const char *field;
	} cases[] = {
	    {"image_a.url: has no host", "image_a.url"},
	    {"options.threshold: 3 is not within -1 to 1", "options.threshold"},
	    {"result.candidates[3].user_id: is missing", "result.candidates[3].user_id"},
	    {"the body is no JSON: unexpected token", ""},
	    {"image_a:no blank", ""},
	    {": nothing", ""},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct http_problem problem;
		struct error err;

		error_set(&err, ERROR_INVALID_JOB, "%s", cases[i].text);
		problem_from_error(&problem, &problem_invalid_job, &err);
		assert_string_equal(problem.field, cases[i].field);
		assert_string_equal(problem.detail, cases[i].text);
	}
}

static void test_the_document(void **state)
{
	struct http_problem problem;
	struct buffer out = {0};

	(void)state;
	http_problem_init(&problem, &problem_queue_full, "say \"%s\"", "please\n");
	strcpy(problem.task_id, "t");
	assert_int_equal(http_problem_encode(&problem, &out), 0);
	assert_string_equal((char *)out.data,
			    "{\"type\":\"urn:facefleet:problem:queue_full\",\"title\":\"The queue is "
			    "full.\",\"status\":503,\"code\":\"queue_full\",\"detail\":\"say \\\"please\\n\\\"\","
			    "\"task_id\":\"t\"}");
	buffer_finish(&out);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_which_field_is_to_blame),
					  cmocka_unit_test(test_the_document)};

RUN_TESTS(tests)
