#include "run.h"

#include <stdlib.h>

#include "cache/people_untold.h"

static void expect(struct people_untold *untold, const char *key, uint64_t version)
{
	struct people_change change;

	assert_true(people_untold_take(untold, &change));
	assert_string_equal(change.key, key);
	assert_int_equal(change.version, version);
	free(change.key);
}

static void test_oldest_first(void **state)
{
	struct people_untold *untold = people_untold_new(3);
	struct people_change change;

	(void)state;
	assert_false(people_untold_take(untold, &change));
	assert_true(people_untold_add(untold, "a", 1));
	assert_true(people_untold_add(untold, "b", 2));
	assert_true(people_untold_add(untold, "a", 3));
	assert_true(people_untold_add(untold, "b", 1));
	assert_int_equal(people_untold_count(untold), 2);
	expect(untold, "a", 3);
	expect(untold, "b", 2);
	assert_false(people_untold_take(untold, &change));
	people_untold_free(untold);
	people_untold_free(NULL);
}

static void test_too_many(void **state)
{
	struct people_untold *untold = people_untold_new(2);

	(void)state;
	assert_true(people_untold_add(untold, "a", 1));
	assert_true(people_untold_add(untold, "b", 2));
	assert_false(people_untold_add(untold, "c", 3));
	assert_int_equal(people_untold_count(untold), 2);
	expect(untold, "b", 2);
	people_untold_free(untold);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_oldest_first),
    cmocka_unit_test(test_too_many),
};
RUN_TESTS(tests)
