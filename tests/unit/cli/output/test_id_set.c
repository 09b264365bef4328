#include "run.h"

#include <stdio.h>

#include "cli/output/id_set.h"

static void test_remembers_and_grows(void **state)
{
	struct id_set *set = id_set_new();
	char id[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		sprintf(id, "pair-%d", i);
		assert_int_equal(id_set_add(set, id), 0);
	}
	assert_int_equal(id_set_count(set), 5000);
	for (int i = 0; i < 5000; i++) {
		sprintf(id, "pair-%d", i);
		assert_true(id_set_has(set, id));
		sprintf(id, "Pair-%d", i);
		assert_false(id_set_has(set, id));
	}
	id_set_free(set);
}

static void test_counts_an_id_once(void **state)
{
	struct id_set *set = id_set_new();

	(void)state;
	assert_false(id_set_has(set, ""));
	assert_int_equal(id_set_add(set, ""), 0);
	assert_int_equal(id_set_add(set, ""), 0);
	assert_true(id_set_has(set, ""));
	assert_int_equal(id_set_count(set), 1);
	id_set_free(set);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_remembers_and_grows),
    cmocka_unit_test(test_counts_an_id_once),
};

RUN_TESTS(tests)
