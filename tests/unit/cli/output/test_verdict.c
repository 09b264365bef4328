#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/verdict.h"

static void make_reply(struct reply *reply, enum task_state state)
{
	reply_init(reply, "01930000-0000-7000-8000-000000000001", NULL);
	strcpy(reply->worker, "w\n1");
	reply->state = state;
	timings_add(&reply->timings, STAGE_QUEUE, 0.25);
	timings_add(&reply->timings, STAGE_TOTAL, 41);
}

static void assert_printed(const struct reply *reply, bool colour, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	verdict_print(out, (struct terminal){.interactive = colour, .colour = colour}, reply);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_same_person(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_SUCCEEDED);
	reply.result.has_match = true;
	reply.result.matched = true;
	reply.result.similarity = 0.81236;
	reply.result.threshold = 0.375;
	reply.result.face_a =
	    (struct reply_face){.present = true, .box = {10.4, 20, 99.6, 120}, .score = 0.9876, .faces = 1};
	reply.result.face_b =
	    (struct reply_face){.present = true, .box = {1, 2, 3, 4}, .score = 0.5, .faces = 3, .index = 1};
	assert_printed(&reply, false,
		       "same person\n"
		       "  similarity  0.8124\n"
		       "  threshold   0.3750\n"
		       "  face A      100 x 120 at 10, 20   score 0.988\n"
		       "  face B      3 x 4 at 1, 2   score 0.500   number 2 of 3 by size\n"
		       "  face policy largest\n"
		       "  ms          queue 0.2   total 41.0\n"
		       "  worker      w\\n1\n"
		       "  task        01930000-0000-7000-8000-000000000001\n");
}

static void test_failure_in_colour(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_FINAL_FAILED);
	error_set_limit(&reply.error, ERROR_FACE_TOO_SMALL, "eye_distance", 12.5, 20, "too \033[2J small");
	reply.error.image = 'b';
	assert_printed(&reply, true,
		       "\033[1;31mfailed\033[0m\n"
		       "  error       face_too_small\n"
		       "  image       b\n"
		       "  reason      too \\x1b[2J small\n"
		       "  measure     eye_distance\n"
		       "  value       12.5, limit 20\n"
		       "\033[2m"
		       "  ms          queue 0.2   total 41.0\n"
		       "  worker      w\\n1\n"
		       "  task        01930000-0000-7000-8000-000000000001\n"
		       "\033[0m");
}

static void test_an_enrolled_person(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_SUCCEEDED);
	strcpy(reply.user_id, "ann\t");
	strcpy(reply.collection, "staff");
	reply.result.has_match = true;
	reply.result.similarity = 0.25;
	reply.result.threshold = 0.375;
	reply.result.face_a =
	    (struct reply_face){.present = true, .box = {10, 20, 100, 120}, .score = 0.9876, .faces = 1};
	assert_printed(&reply, false,
		       "not the same person\n"
		       "  person      ann\\t\n"
		       "  collection  staff\n"
		       "  similarity  0.2500\n"
		       "  threshold   0.3750\n"
		       "  face        100 x 120 at 10, 20   score 0.988\n"
		       "  face policy largest\n"
		       "  ms          queue 0.2   total 41.0\n"
		       "  worker      w\\n1\n"
		       "  task        01930000-0000-7000-8000-000000000001\n");
	assert_int_equal(verdict_status(&reply), STATUS_DIFFERENT);
	reply.result.matched = true;
	assert_int_equal(verdict_status(&reply), STATUS_OK);
	reply.state = TASK_FINAL_FAILED;
	assert_int_equal(verdict_status(&reply), STATUS_TASK_FAILED);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_same_person),
    cmocka_unit_test(test_failure_in_colour),
    cmocka_unit_test(test_an_enrolled_person),
};

RUN_TESTS(tests)
