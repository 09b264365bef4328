#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/output/enrolment.h"

static void make_reply(struct reply *reply, enum task_state state)
{
	reply_init(reply, "01930000-0000-7000-8000-000000000001", NULL);
	reply->state = state;
}

static void assert_printed(const struct reply *reply, bool colour, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	enrolment_print(out, (struct terminal){.interactive = colour, .colour = colour}, "a\033.jpg", reply);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_stored(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_SUCCEEDED);
	reply.result.face_a = (struct reply_face){.present = true, .score = 0.9876, .faces = 3, .index = 1};
	assert_printed(&reply, true,
		       "a\\x1b.jpg: \033[1;32mstored\033[0m 01930000-0000-7000-8000-000000000001   face score 0.988   "
		       "number 2 of 3 by size\n");
}

static void test_refused_by_a_measure(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_FINAL_FAILED);
	error_set_limit(&reply.error, ERROR_LOW_QUALITY, "sharpness", 4.1, 10, "the face is blurred");
	assert_printed(&reply, false, "a\\x1b.jpg: refused low_quality: sharpness 4.1 is below 10\n");
	error_set_limit(&reply.error, ERROR_LOW_QUALITY, "yaw\n", 51.25, 45, "the face is turned");
	assert_printed(&reply, false, "a\\x1b.jpg: refused low_quality: yaw\\n 51.25 is above 45\n");
}

static void test_refused_without_a_measure(void **state)
{
	struct reply reply;

	(void)state;
	make_reply(&reply, TASK_FINAL_FAILED);
	error_set(&reply.error, ERROR_NO_FACE, "no face\033[2J");
	assert_printed(&reply, true, "a\\x1b.jpg: \033[1;31mrefused\033[0m no_face: no face\\x1b[2J\n");
	error_set(&reply.error, ERROR_SUPERSEDED, "%s", "");
	assert_printed(&reply, false, "a\\x1b.jpg: refused superseded\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_stored),
    cmocka_unit_test(test_refused_by_a_measure),
    cmocka_unit_test(test_refused_without_a_measure),
};

RUN_TESTS(tests)
