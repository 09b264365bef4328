#include "run.h"

#include <string.h>

#include "cli/output/result.h"

static void assert_line(const struct result *result, enum result_format format, bool terminal, const char *expected)
{
	struct buffer out = {0};

	assert_int_equal(result_line(JOB_MATCH, result, format, terminal, &out), 0);
	assert_string_equal((char *)out.data, expected);
	buffer_finish(&out);
}

static void make_reply(struct reply *reply, enum task_state state)
{
	reply_init(reply, "01930000-0000-7000-8000-000000000001", NULL);
	strcpy(reply->reference, "7");
	strcpy(reply->worker, "w1");
	strcpy(reply->model, "m");
	reply->state = state;
	reply->attempt = 1;
}

static void test_a_match(void **state)
{
	struct reply reply;
	struct result result;

	(void)state;
	make_reply(&reply, TASK_SUCCEEDED);
	reply.result.present = true;
	reply.result.has_match = true;
	reply.result.matched = true;
	reply.result.similarity = 0.8125;
	reply.result.threshold = 0.375;
	timings_add(&reply.timings, STAGE_TOTAL, 12.5);
	result_from_reply(&result, &reply);
	assert_line(&result, RESULT_JSONL, false,
		    "{\"id\":\"7\",\"task_id\":\"01930000-0000-7000-8000-000000000001\",\"state\":\"succeeded\","
		    "\"matched\":true,\"similarity\":0.8125,\"threshold\":0.375,\"error\":null,\"message\":null,"
		    "\"queue_ms\":null,\"total_ms\":12.5,\"attempt\":1,\"worker\":\"w1\",\"model\":\"m\"}\n");
	assert_line(&result, RESULT_CSV, false,
		    "7,01930000-0000-7000-8000-000000000001,succeeded,true,0.8125,0.375,,,,12.5,1,w1,m\n");
}

static void test_a_failure(void **state)
{
	struct reply reply;
	struct result result;

	(void)state;
	make_reply(&reply, TASK_FINAL_FAILED);
	error_set(&reply.error, ERROR_NO_FACE, "nobody, \"really\"\nnobody");
	result_from_reply(&result, &reply);
	assert_line(&result, RESULT_JSONL, false,
		    "{\"id\":\"7\",\"task_id\":\"01930000-0000-7000-8000-000000000001\",\"state\":\"final_failed\","
		    "\"matched\":null,\"similarity\":null,\"threshold\":null,\"error\":\"no_face\","
		    "\"message\":\"nobody, \\\"really\\\"\\nnobody\",\"queue_ms\":null,\"total_ms\":null,\"attempt\":1,"
		    "\"worker\":\"w1\",\"model\":\"m\"}\n");
	assert_line(
	    &result, RESULT_CSV, false,
	    "7,01930000-0000-7000-8000-000000000001,final_failed,,,,no_face,\"nobody, \"\"really\"\"\\nnobody\","
	    ",,1,w1,m\n");
}

static void test_nothing_steers_a_terminal(void **state)
{
	struct result result;

	(void)state;
	result_init(&result,
		    "\xc2\x9b"
		    "2J",
		    "", "pending");
	result.worker = "\033]0;x";
	assert_line(&result, RESULT_CSV, true, "\\u009b2J,,pending,,,,,,,,,\\x1b]0;x,\n");
	assert_line(&result, RESULT_CSV, false,
		    "\xc2\x9b"
		    "2J,,pending,,,,,,,,,\\x1b]0;x,\n");
	assert_line(&result, RESULT_JSONL, true,
		    "{\"id\":\"\\u009B2J\",\"task_id\":null,\"state\":\"pending\",\"matched\":null,\"similarity\":null,"
		    "\"threshold\":null,\"error\":null,\"message\":null,\"queue_ms\":null,\"total_ms\":null,"
		    "\"attempt\":null,\"worker\":\"\\u001B]0;x\",\"model\":null}\n");
}

static void test_text_that_is_no_utf8(void **state)
{
	struct buffer out = {0};
	struct result result;

	(void)state;
	result_init(&result, "1", "", "pending");
	result.worker = "w\xe9";
	assert_int_equal(result_line(JOB_MATCH, &result, RESULT_JSONL, false, &out), 0);
	assert_non_null(strstr((char *)out.data, "\"worker\":null"));
	buffer_finish(&out);
}

static void test_header(void **state)
{
	struct buffer out = {0};

	(void)state;
	assert_int_equal(result_header(JOB_MATCH, RESULT_CSV, &out), 0);
	assert_string_equal((char *)out.data, "id,task_id,state,matched,similarity,threshold,error,message,queue_ms,"
					      "total_ms,attempt,worker,model\n");
	buffer_clear(&out);
	assert_int_equal(result_header(JOB_MATCH, RESULT_JSONL, &out), 0);
	assert_int_equal(out.size, 0);
	buffer_finish(&out);
}

static void test_an_enrolment(void **state)
{
	struct buffer out = {0};
	struct result result;
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_FINAL_FAILED);
	strcpy(reply.user_id, "ann");
	error_set_limit(&reply.error, ERROR_LOW_QUALITY, "sharpness", 4.5, 10, "blurred");
	result_from_reply(&result, &reply);
	assert_int_equal(result_line(JOB_ENROLL, &result, RESULT_CSV, false, &out), 0);
	assert_int_equal(result_header(JOB_ENROLL, RESULT_CSV, &out), 0);
	reply.state = TASK_SUCCEEDED;
	reply.result.present = true;
	reply.result.face_a = (struct reply_face){.present = true, .score = 0.75, .faces = 1};
	result_from_reply(&result, &reply);
	assert_int_equal(result_line(JOB_ENROLL, &result, RESULT_JSONL, false, &out), 0);
	assert_string_equal(
	    (char *)out.data,
	    "7,01930000-0000-7000-8000-000000000001,final_failed,ann,,low_quality,blurred,sharpness,4.5,10,,,1,w1,m\n"
	    "id,task_id,state,user_id,score,error,message,measure,value,limit,queue_ms,total_ms,attempt,worker,model\n"
	    "{\"id\":\"7\",\"task_id\":\"01930000-0000-7000-8000-000000000001\",\"state\":\"succeeded\","
	    "\"user_id\":\"ann\",\"score\":0.75,\"error\":null,\"message\":null,\"measure\":null,\"value\":null,"
	    "\"limit\":null,\"queue_ms\":null,\"total_ms\":null,\"attempt\":1,\"worker\":\"w1\",\"model\":\"m\"}\n");
	buffer_finish(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_match),
    cmocka_unit_test(test_a_failure),
    cmocka_unit_test(test_nothing_steers_a_terminal),
    cmocka_unit_test(test_text_that_is_no_utf8),
    cmocka_unit_test(test_header),
    cmocka_unit_test(test_an_enrolment),
};

RUN_TESTS(tests)
