#include "run.h"

#include <stdio.h>

#include "gateway/shedding.h"

#define LIMIT_MS 300

struct tally {
	unsigned taken;
	unsigned too_many;
	unsigned over_share;
};

static struct tally ask(struct shedding *shedding, const char *name, unsigned times)
{
	struct tally tally = {0};

	for (unsigned i = 0; i < times; i++) {
		enum shedding_verdict verdict = shedding_ask(shedding, name);
		tally.taken += verdict == SHEDDING_TAKE;
		tally.too_many += verdict == SHEDDING_TOO_MANY;
		tally.over_share += verdict == SHEDDING_OVER_SHARE;
	}
	return tally;
}

static void test_takes_all_while_nobody_waits(void **state)
{
	struct shedding *shedding = shedding_new();

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(ask(shedding, "ann", 1000).taken, 1000);
		shedding_turn(shedding, LIMIT_MS, LIMIT_MS);
	}
	assert_float_equal(shedding_part(shedding), 1, 0);
	shedding_free(shedding);
}

static void test_takes_half_and_half_again_but_always_some(void **state)
{
	struct shedding *shedding = shedding_new();
	unsigned half = 1000;

	(void)state;
	ask(shedding, "ann", 1000);
	for (unsigned i = 0; i < 4; i++) {
		half /= 2;
		shedding_turn(shedding, LIMIT_MS + 1, LIMIT_MS);
		struct tally tally = ask(shedding, "ann", 1000);
		assert_in_range(tally.taken, half - 2, half + 2);
		assert_int_equal(tally.over_share, 0);
		assert_int_equal(tally.too_many, 1000 - tally.taken);
	}
	for (unsigned i = 0; i < 10; i++) {
		shedding_turn(shedding, 100 * LIMIT_MS, LIMIT_MS);
		assert_true(ask(shedding, "ann", 1000).taken > 20);
	}
	assert_float_equal(shedding_part(shedding), SHEDDING_LEAST, 0);
	shedding_free(shedding);
}

static void test_comes_back_slowly(void **state)
{
	struct shedding *shedding = shedding_new();
	unsigned turns = 0;

	(void)state;
	shedding_turn(shedding, LIMIT_MS + 1, LIMIT_MS);
	double before = shedding_part(shedding);
	shedding_turn(shedding, LIMIT_MS, LIMIT_MS);
	assert_float_equal(shedding_part(shedding), before, 0);
	for (; shedding_part(shedding) < 1; turns++)
		shedding_turn(shedding, LIMIT_MS / 2.0, LIMIT_MS);
	assert_in_range(turns, 4, 6);
	assert_int_equal(ask(shedding, "ann", 100).taken, 100);
	shedding_free(shedding);
}

/* A crowd of modest ones beside one who is not: half of it all is taken, and none of the modest is refused. */
static void test_who_sends_much_is_turned_away_first(void **state)
{
	struct shedding *shedding = shedding_new();
	struct tally flood;

	(void)state;
	for (unsigned turn = 0; turn < 5; turn++) {
		unsigned taken = 0;
		for (unsigned i = 0; i < 10; i++) {
			char name[8];
			snprintf(name, sizeof(name), "key%u", i);
			struct tally tally = ask(shedding, name, 20);
			taken += tally.taken;
			assert_int_equal(tally.taken, 20);
		}
		flood = ask(shedding, "flood", 800);
		taken += flood.taken;
		if (turn == 0) {
			assert_int_equal(taken, 1000);
			shedding_turn(shedding, LIMIT_MS + 1, LIMIT_MS);
		} else {
			assert_in_range(taken, 480, 520);
			assert_int_equal(flood.too_many, 0);
			assert_int_equal(flood.over_share, 1000 - taken);
			shedding_turn(shedding, LIMIT_MS, LIMIT_MS);
		}
	}
	shedding_free(shedding);
}

/* Beyond what modest ones leave, the greedy share what is left. */
static void test_equals_are_treated_alike(void **state)
{
	struct shedding *shedding = shedding_new();

	(void)state;
	ask(shedding, "ann", 400);
	ask(shedding, "bob", 400);
	ask(shedding, "cem", 200);
	shedding_turn(shedding, LIMIT_MS + 1, LIMIT_MS);
	struct tally ann = ask(shedding, "ann", 400);
	struct tally bob = ask(shedding, "bob", 400);
	struct tally cem = ask(shedding, "cem", 200);
	assert_in_range(ann.taken, 165, 168);
	assert_int_equal(bob.taken, ann.taken);
	assert_in_range(cem.taken, 165, 168);
	assert_int_equal(ann.over_share + bob.over_share + cem.over_share, 0);
	shedding_free(shedding);
}

static void test_who_is_gone_is_forgotten(void **state)
{
	struct shedding *shedding = shedding_new();

	(void)state;
	ask(shedding, "flood", 1000);
	for (unsigned i = 0; i < 12; i++)
		shedding_turn(shedding, LIMIT_MS, LIMIT_MS);
	ask(shedding, "ann", 100);
	shedding_turn(shedding, LIMIT_MS + 1, LIMIT_MS);
	assert_in_range(ask(shedding, "ann", 100).taken, 49, 51);
	shedding_free(shedding);
}

static void test_more_names_than_places(void **state)
{
	struct shedding *shedding = shedding_new();
	char name[SHEDDING_NAME_SIZE + 40];

	(void)state;
	for (unsigned turn = 0; turn < 3; turn++) {
		unsigned taken = 0;
		for (unsigned i = 0; i < 4 * SHEDDING_MOST; i++) {
			snprintf(name, sizeof(name), "%u%090u", i, 0);
			taken += ask(shedding, name, 4).taken;
		}
		if (turn > 0)
			assert_in_range(taken, 8 * SHEDDING_MOST * 9 / 10, 8 * SHEDDING_MOST * 11 / 10);
		shedding_turn(shedding, turn == 0 ? LIMIT_MS + 1 : LIMIT_MS, LIMIT_MS);
	}
	shedding_free(shedding);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_takes_all_while_nobody_waits),
    cmocka_unit_test(test_takes_half_and_half_again_but_always_some),
    cmocka_unit_test(test_comes_back_slowly),
    cmocka_unit_test(test_who_sends_much_is_turned_away_first),
    cmocka_unit_test(test_equals_are_treated_alike),
    cmocka_unit_test(test_who_is_gone_is_forgotten),
    cmocka_unit_test(test_more_names_than_places),
};

RUN_TESTS(tests)
