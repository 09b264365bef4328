#include "run.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/results.h"
#include "text_file.h"

static char path[] = "/tmp/test_results_XXXXXX";

static int make_file(void **state)
{
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	int fd = mkstemp(path);
	return fd < 0 || close(fd) < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const char *content)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
}

static void assert_content(const char *expected)
{
	int fd = open(path, O_RDONLY);
	char *content = text_file_content(fd);

	assert_string_equal(content, expected);
	free(content);
	close(fd);
}

static struct results *open_results(enum result_format format, bool resume)
{
	struct results *results;
	struct error err = {0};

	if (results_open(&results, path, JOB_MATCH, format, resume, &err) < 0)
		fail_msg("%s", err.text);
	return results;
}

static void write_one(struct results *results, const char *id)
{
	struct result result;

	result_init(&result, id, "t", "pending");
	assert_int_equal(results_write(results, &result), 0);
}

static void test_starts_anew(void **state)
{
	(void)state;
	put("rubbish of an earlier day\n");
	struct results *results = open_results(RESULT_CSV, false);
	write_one(results, "1");
	assert_int_equal(id_set_count(results_present(results)), 0);
	assert_int_equal(results_close(results), 0);
	assert_content("id,task_id,state,matched,similarity,threshold,error,message,queue_ms,total_ms,attempt,worker,"
		       "model\n1,t,pending,,,,,,,,,,\n");
}

static void test_resumes_csv_behind_a_torn_line(void **state)
{
	(void)state;
	put("id,task_id\n1,x\n\"2, b\",y\n3,tor");
	struct results *results = open_results(RESULT_CSV, true);
	assert_int_equal(id_set_count(results_present(results)), 2);
	assert_true(id_set_has(results_present(results), "1"));
	assert_true(id_set_has(results_present(results), "2, b"));
	assert_false(id_set_has(results_present(results), "id"));
	write_one(results, "3");
	assert_int_equal(results_close(results), 0);
	assert_content("id,task_id\n1,x\n\"2, b\",y\n3,t,pending,,,,,,,,,,\n");
}

static void test_resumes_jsonl_behind_a_torn_line(void **state)
{
	(void)state;
	put("{\"id\":\"a\\u00fc\"}\n{\"id\":\"b\"}\n{\"id\":\"c\"");
	struct results *results = open_results(RESULT_JSONL, true);
	assert_int_equal(id_set_count(results_present(results)), 2);
	assert_true(id_set_has(results_present(results), "aü"));
	assert_int_equal(results_close(results), 0);
	assert_content("{\"id\":\"a\\u00fc\"}\n{\"id\":\"b\"}\n");
}

static void test_resumes_nothing(void **state)
{
	(void)state;
	put("id,to");
	struct results *results = open_results(RESULT_CSV, true);
	assert_int_equal(id_set_count(results_present(results)), 0);
	assert_int_equal(results_close(results), 0);
	assert_content("id,task_id,state,matched,similarity,threshold,error,message,queue_ms,total_ms,attempt,worker,"
		       "model\n");
}

static void assert_refused(enum result_format format, const char *content, const char *expected)
{
	struct results *results;
	struct error err = {0};

	put(content);
	assert_true(results_open(&results, path, JOB_MATCH, format, true, &err) < 0);
	assert_non_null(strstr(err.text, expected));
	assert_content(content);
}

static void test_refuses_what_it_did_not_write(void **state)
{
	(void)state;
	assert_refused(RESULT_CSV, "image_a,id\n", "line 1 is not a result");
	assert_refused(RESULT_CSV, "{\"id\":\"1\"}\n", "line 1 is not a result");
	assert_refused(RESULT_JSONL, "{\"id\":\"1\"}\nid,task_id\n", "line 2 is not a result");
	assert_refused(RESULT_JSONL, "{\"name\":1}\n", "line 1 is not a result");
}

static void test_unwritable_place(void **state)
{
	struct results *results;
	struct error err = {0};

	(void)state;
	assert_true(results_open(&results, "/nonexistent/r.csv", JOB_MATCH, RESULT_CSV, false, &err) < 0);
	assert_string_equal(err.text, "/nonexistent/r.csv: No such file or directory");
	assert_true(results_open(&results, "/dev/null", JOB_MATCH, RESULT_CSV, true, &err) < 0);
	assert_non_null(strstr(err.text, "regular file"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_starts_anew, make_file, remove_file),
    cmocka_unit_test_setup_teardown(test_resumes_csv_behind_a_torn_line, make_file, remove_file),
    cmocka_unit_test_setup_teardown(test_resumes_jsonl_behind_a_torn_line, make_file, remove_file),
    cmocka_unit_test_setup_teardown(test_resumes_nothing, make_file, remove_file),
    cmocka_unit_test_setup_teardown(test_refuses_what_it_did_not_write, make_file, remove_file),
    cmocka_unit_test(test_unwritable_place),
};

RUN_TESTS(tests)
