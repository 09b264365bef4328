#include "run.h"

#include <string.h>

#include "pairs.h"

static int parse(struct pairs *pairs, const char *text, struct error *err)
{
	*pairs = (struct pairs){0};
	*err = (struct error){0};
	return pairs_parse(pairs, "p.csv", (const uint8_t *)text, strlen(text), err);
}

static void test_rows(void **state)
{
	(void)state;
	struct pairs pairs;
	struct error err;

	assert_int_equal(
	    parse(&pairs, "id,image_a,image_b,same\n1,a.jpg,\"b, c.jpg\",1\r\n2,/d,e,False,more\n3,f,g,same", &err), 0);
	assert_int_equal(pairs.count, 3);
	assert_string_equal(pairs_image(&pairs, pairs.items[0].image_a), "a.jpg");
	assert_string_equal(pairs_image(&pairs, pairs.items[0].image_b), "b, c.jpg");
	assert_true(pairs.items[0].same);
	assert_string_equal(pairs_image(&pairs, pairs.items[1].image_a), "/d");
	assert_false(pairs.items[1].same);
	assert_true(pairs.items[2].same);
	pairs_finish(&pairs);
}

static void test_no_header(void **state)
{
	(void)state;
	struct pairs pairs;
	struct error err;

	assert_int_equal(parse(&pairs, "1,a,b,0\n2,c,d,1\n", &err), 0);
	assert_int_equal(pairs.count, 2);
	pairs_finish(&pairs);
}

static void test_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"", "less than two"},
	    {"1,a,b,1\n", "less than two"},
	    {"1,a,b,1\n2,a,b\n", "row 2 has 3 columns"},
	    {"1,a,b,1\n2,a,b,perhaps\n", "row 2: the label \"perhaps\""},
	    {"1,a,b,maybe\n", "row 1: the label"},
	    {"1,a,b,1\n2,\"a,b,1\n", "misplaced quote"},
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct pairs pairs;
		struct error err;

		assert_int_not_equal(parse(&pairs, cases[i].text, &err), 0);
		if (!strstr(err.text, cases[i].why))
			fail_msg("case %zu: %s", i, err.text);
		pairs_finish(&pairs);
	}
}

static void test_zero_bytes(void **state)
{
	(void)state;
	struct pairs pairs = {0};
	struct error err = {0};

	assert_int_not_equal(pairs_parse(&pairs, "p.csv", (const uint8_t *)"1,a\0b,c,1\n", 10, &err), 0);
	assert_non_null(strstr(err.text, "zero byte"));
	pairs_finish(&pairs);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_no_header),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_zero_bytes),
};

RUN_TESTS(tests)
