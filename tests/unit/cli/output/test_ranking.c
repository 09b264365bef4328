#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/ranking.h"

static struct reply_candidate candidates[3] = {
    {"jörg", "01930000-0000-7000-8000-000000000002", 0.8125},
    {"ann\033[2J", "01930000-0000-7000-8000-000000000003", 0.5},
    {"", "", 0.4},
};

static void make_reply(struct reply *reply, size_t count)
{
	reply_init(reply, "01930000-0000-7000-8000-000000000001", NULL);
	reply->state = TASK_SUCCEEDED;
	reply->result.present = true;
	reply->result.has_candidates = true;
	reply->result.candidates = candidates;
	reply->result.candidate_count = count;
	reply->result.threshold = 0.375;
}

static void assert_printed(const struct reply *reply, bool colour, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ranking_print(out, (struct terminal){.interactive = colour, .colour = colour}, reply);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_table(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, 2);
	assert_printed(&reply, false,
		       " rank  person      similarity  image\n"
		       "    1  jörg            0.8125  01930000-0000-7000-8000-000000000002\n"
		       "    2  ann\\x1b[2J      0.5000  01930000-0000-7000-8000-000000000003\n");
	assert_int_equal(ranking_status(&reply), STATUS_OK);
}

static void test_a_long_name_does_not_push_the_others(void **state)
{
	struct reply reply;
	char long_name[129];

	(void)state;
	memset(long_name, 'n', 128);
	long_name[128] = '\0';
	struct reply_candidate two[2] = {{"ann", "", 0.5}, {"", "", 0.4}};
	memcpy(two[1].user_id, long_name, sizeof(long_name));
	make_reply(&reply, 2);
	reply.result.candidates = two;
	char expected[300];
	snprintf(expected, sizeof(expected),
		 " rank  person  similarity  image\n    1  ann         0.5000  \n    2  %s      0.4000  \n", long_name);
	assert_printed(&reply, false, expected);
}

static void test_an_overloaded_fleet(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, 1);
	reply.degraded = 1u << DEGRADED_CANDIDATES;
	assert_printed(&reply, false,
		       " rank  person  similarity  image\n"
		       "    1  jörg        0.8125  01930000-0000-7000-8000-000000000002\n"
		       "The fleet is overloaded: only the best was looked for.\n");
}

static void test_nobody(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, 0);
	assert_printed(&reply, true, "\033[1;31mnobody\033[0m at or above the threshold of 0.3750\n");
	assert_int_equal(ranking_status(&reply), STATUS_NOBODY);
}

static void test_failure(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, 0);
	reply.state = TASK_FINAL_FAILED;
	error_set(&reply.error, ERROR_NO_FACE, "no face");
	assert_printed(&reply, false,
		       "failed\n  error       no_face\n  reason      no face\n  ms          \n"
		       "  task        01930000-0000-7000-8000-000000000001\n");
	assert_int_equal(ranking_status(&reply), STATUS_TASK_FAILED);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_a_long_name_does_not_push_the_others),
    cmocka_unit_test(test_an_overloaded_fleet),
    cmocka_unit_test(test_nobody),
    cmocka_unit_test(test_failure),
};

RUN_TESTS(tests)
