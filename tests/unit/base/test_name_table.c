#include "../run.h"

#include <stdio.h>
#include <string.h>

#include "base/name_table.h"

static int *get(struct name_table *table, const char *name, bool expect_new)
{
	bool is_new;
	int *value = name_table_get(table, name, &is_new);

	assert_int_equal(is_new, expect_new);
	if (is_new)
		assert_int_equal(*value, 0);
	return value;
}

static void test_keeps_a_value_for_each_name(void **state)
{
	struct name_table *table = name_table_new(10, 8, sizeof(int));

	(void)state;
	*get(table, "ann", true) = 1;
	*get(table, "", true) = 2;
	*get(table, "anna", true) = 3;
	assert_int_equal(*get(table, "ann", false), 1);
	assert_int_equal(*get(table, "", false), 2);
	assert_int_equal(*(int *)name_table_find(table, "anna"), 3);
	assert_null(name_table_find(table, "an"));
	name_table_free(table);
}

static void test_long_names_are_cut(void **state)
{
	struct name_table *table = name_table_new(10, 4, sizeof(int));

	(void)state;
	*get(table, "abcd", true) = 1;
	assert_int_equal(*get(table, "abcx", false), 1);
	assert_int_equal(*get(table, "abc", false), 1);
	get(table, "ab", true);
	name_table_free(table);
}

static void test_the_longest_unused_gives_way(void **state)
{
	struct name_table *table = name_table_new(3, 8, sizeof(int));

	(void)state;
	get(table, "a", true);
	get(table, "b", true);
	get(table, "c", true);
	get(table, "a", false);
	assert_non_null(name_table_find(table, "b"));
	*get(table, "d", true) = 4; /* for c */
	assert_null(name_table_find(table, "c"));
	get(table, "a", false);
	get(table, "b", false);
	assert_int_equal(*get(table, "d", false), 4);
	name_table_free(table);
}

static void test_many_more_names_than_places(void **state)
{
	struct name_table *table = name_table_new(100, 16, sizeof(int));
	char name[16];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		*get(table, name, true) = i;
	}
	for (int i = 9999; i >= 9900; i--) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(*get(table, name, false), i);
	}
	assert_null(name_table_find(table, "n9899"));
	name_table_free(table);
}

static void add_up(void *arg, const char *name, void *value)
{
	int *sum = arg;

	assert_int_equal(name[0] - '0', *(int *)value);
	*sum += *(int *)value;
}

static void test_each(void **state)
{
	struct name_table *table = name_table_new(3, 8, sizeof(int));
	int sum = 0;

	(void)state;
	name_table_each(table, add_up, &sum);
	assert_int_equal(sum, 0);
	*get(table, "1", true) = 1;
	*get(table, "2", true) = 2;
	name_table_each(table, add_up, &sum);
	assert_int_equal(sum, 3);
	name_table_free(table);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_keeps_a_value_for_each_name),
    cmocka_unit_test(test_long_names_are_cut),
    cmocka_unit_test(test_the_longest_unused_gives_way),
    cmocka_unit_test(test_many_more_names_than_places),
    cmocka_unit_test(test_each),
};

RUN_TESTS(tests)
