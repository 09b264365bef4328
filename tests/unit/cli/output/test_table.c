#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/table.h"

static const struct table_column columns[] = {
    {.head = "name", .most = 10},
    {.head = "count", .right = true},
    {.head = "when"},
};

static void assert_printed(const struct table *table, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(table_print(table, out, (struct terminal){0}), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_columns_fit_what_is_in_them(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, columns, array_size(columns));
	assert_printed(&t, "name  count  when\n");
	table_add_text(&t, "Jörg");
	table_add(&t, "%d", 1234567);
	table_add_time(&t, 1764108000999);
	table_add_text(&t, "");
	table_add(&t, "%d", 2);
	table_add_time(&t, 0);
	assert_int_equal(table_rows(&t), 2);
	assert_printed(&t, "name    count  when\n"
			   "Jörg  1234567  2025-11-25T22:00:00Z\n"
			   "-           2  -\n");
	table_finish(&t);
}

static void test_a_long_cell_holds_up_only_itself(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, columns, array_size(columns));
	table_add_text(&t, "of eleven cs");
	table_add_text(&t, "1");
	table_add_text(&t, "x");
	table_add_text(&t, "short");
	table_add_text(&t, "2");
	table_add_text(&t, "y");
	assert_printed(&t, "name   count  when\n"
			   "of eleven cs      1  x\n"
			   "short      2  y\n");
	table_finish(&t);
}

static void test_cells_are_escaped(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, columns, 1);
	table_add_text(&t, "\033[2J\n");
	assert_printed(&t, "name\n\\x1b[2J\\n\n");
	table_finish(&t);
}

static void test_many_rows(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, columns, array_size(columns));
	for (unsigned i = 0; i < 3 * 1000; i++)
		table_add(&t, "%u", i);
	assert_int_equal(table_rows(&t), 1000);
	assert_false(t.failed);
	table_finish(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_columns_fit_what_is_in_them),
    cmocka_unit_test(test_a_long_cell_holds_up_only_itself),
    cmocka_unit_test(test_cells_are_escaped),
    cmocka_unit_test(test_many_rows),
};

RUN_TESTS(tests)
