#include "run.h"

#include "pace.h"

static void note(struct pace *pace, enum job_op op, double decode_ms, double embed_ms)
{
	struct reply reply = {.op = op};

	timings_init(&reply.timings);
	timings_add(&reply.timings, STAGE_QUEUE, 5000);
	timings_add(&reply.timings, STAGE_FETCH, 5000);
	timings_add(&reply.timings, STAGE_DECODE, decode_ms);
	timings_add(&reply.timings, STAGE_EMBED, embed_ms);
	pace_note(pace, &reply);
}

static void test_nothing_is_hopeless_at_first(void **state)
{
	struct pace pace = {0};

	(void)state;
	assert_false(pace_is_hopeless(&pace, JOB_MATCH, 299, 1));
}

static void test_too_little_time_is_left(void **state)
{
	struct pace pace = {0};

	(void)state;
	note(&pace, JOB_MATCH, 15, 25);
	assert_true(pace_is_hopeless(&pace, JOB_MATCH, 265, 35));
	assert_false(pace_is_hopeless(&pace, JOB_MATCH, 255, 45));
	assert_false(pace_is_hopeless(&pace, JOB_VERIFY, 299, 1));
}

static void test_who_has_not_waited_is_tried(void **state)
{
	struct pace pace = {0};

	(void)state;
	note(&pace, JOB_MATCH, 100, 300);
	assert_false(pace_is_hopeless(&pace, JOB_MATCH, 10, 290));
	assert_true(pace_is_hopeless(&pace, JOB_MATCH, 160, 140));
}

static void test_follows_what_is_seen(void **state)
{
	struct pace pace = {0};

	(void)state;
	note(&pace, JOB_MATCH, 10, 10);
	for (unsigned i = 0; i < 50; i++)
		note(&pace, JOB_MATCH, 100, 0);
	assert_true(pace_is_hopeless(&pace, JOB_MATCH, 210, 90));
	for (unsigned i = 0; i < 50; i++)
		note(&pace, JOB_MATCH, 10, 10);
	assert_false(pace_is_hopeless(&pace, JOB_MATCH, 270, 30));
}

/* As long as nothing is computed, nothing tells that it would be quick again. */
static void test_a_slow_moment_is_forgotten(void **state)
{
	struct pace pace = {0};
	unsigned refused = 0;

	(void)state;
	note(&pace, JOB_MATCH, 1000, 1000);
	while (pace_is_hopeless(&pace, JOB_MATCH, 200, 100))
		assert_true(++refused < 1000);
	assert_true(refused > 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing_is_hopeless_at_first), cmocka_unit_test(test_too_little_time_is_left),
    cmocka_unit_test(test_who_has_not_waited_is_tried),  cmocka_unit_test(test_follows_what_is_seen),
    cmocka_unit_test(test_a_slow_moment_is_forgotten),
};

RUN_TESTS(tests)
