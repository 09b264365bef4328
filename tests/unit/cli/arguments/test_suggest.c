#include "run.h"

#include "cli/arguments/suggest.h"

static void test_nearest_of_several(void **state)
{
	const char *best = suggest_nearer("sumbit", NULL, "match");

	(void)state;
	assert_null(best);
	best = suggest_nearer("sumbit", best, "submit");
	assert_string_equal(best, "submit");
	assert_string_equal(suggest_nearer("sumbit", best, "sunbits"), "submit");
	assert_string_equal(suggest_nearer("mtach", NULL, "match"), "match");
}

static void test_nothing_near(void **state)
{
	(void)state;
	assert_null(suggest_nearer("frobnicate", NULL, "submit"));
	assert_null(suggest_nearer("", NULL, "submit"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nearest_of_several),
    cmocka_unit_test(test_nothing_near),
};

RUN_TESTS(tests)
