#include "run.h"

#include "gateway/waits.h"

#define NOW INT64_C(5000000)

static void hear(struct waits *waits, unsigned count, double wait_ms, int64_t now_ms)
{
	for (unsigned i = 0; i < count; i++)
		waits_hear(waits, wait_ms, now_ms);
}

static void test_nothing_is_known(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	assert_float_equal(waits_estimate(&waits, NOW), 0, 0);
	assert_float_equal(waits_rate(&waits, NOW), 0, 0);
}

static void test_an_empty_queue_makes_nobody_wait(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	hear(&waits, 100, 10000, NOW);
	waits_count(&waits, 0, NOW);
	assert_float_equal(waits_estimate(&waits, NOW), 0, 0);
}

static void test_what_was_waited(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	hear(&waits, 250, 400, NOW);
	hear(&waits, 250, 600, NOW + 1000);
	waits_count(&waits, 1, NOW + 1000);
	assert_float_equal(waits_estimate(&waits, NOW + 1000), 500, 0.001);
}

/* 500 in 2.5 s: what is there takes 3 s. */
static void test_what_is_ahead(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	hear(&waits, 500, 100, NOW);
	waits_count(&waits, 600, NOW);
	assert_float_equal(waits_rate(&waits, NOW), 200, 0.001);
	assert_float_equal(waits_estimate(&waits, NOW), 3000, 0.001);
}

static void test_where_none_is_begun_the_wait_grows(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	waits_count(&waits, 1, NOW);
	assert_float_equal(waits_estimate(&waits, NOW), 0, 0);
	waits_count(&waits, 5, NOW + 1000);
	assert_float_equal(waits_estimate(&waits, NOW + 1000), 1000, 0);
	waits_count(&waits, 5, NOW + 4000);
	assert_float_equal(waits_estimate(&waits, NOW + 4500), 4500, 0);
	waits_count(&waits, 0, NOW + 5000);
	waits_count(&waits, 1, NOW + 6000);
	assert_float_equal(waits_estimate(&waits, NOW + 6000), 0, 0);
}

static void test_old_news_does_not_count(void **state)
{
	struct waits waits;

	(void)state;
	waits_init(&waits);
	hear(&waits, 10, 900, NOW);
	waits_count(&waits, 7, NOW);
	assert_true(waits_estimate(&waits, NOW + 2000) > 0);
	/* What was waited is old, and the count not yet: none has been begun since. */
	waits_count(&waits, 7, NOW + 3000);
	assert_float_equal(waits_rate(&waits, NOW + 3000), 0, 0);
	assert_float_equal(waits_estimate(&waits, NOW + 3500), 3500, 0);
	/* Nobody has counted since one was begun. */
	waits_hear(&waits, 0, NOW + 3500);
	assert_float_equal(waits_estimate(&waits, NOW + 7000), 0, 0);
	/* At last the count is old, too. */
	assert_int_equal(waits_depth(&waits, NOW + 3000 + WAITS_STALE_MS), 7);
	assert_int_equal(waits_depth(&waits, NOW + 3001 + WAITS_STALE_MS), 0);
	assert_float_equal(waits_estimate(&waits, NOW + 3001 + WAITS_STALE_MS), 0, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing_is_known),
    cmocka_unit_test(test_an_empty_queue_makes_nobody_wait),
    cmocka_unit_test(test_what_was_waited),
    cmocka_unit_test(test_what_is_ahead),
    cmocka_unit_test(test_where_none_is_begun_the_wait_grows),
    cmocka_unit_test(test_old_news_does_not_count),
};

RUN_TESTS(tests)
