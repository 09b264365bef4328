#include "run.h"

#include "store/postgres_array.h"

static void a_column_of_each_kind(void **state)
{
	static const char integers[] = "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\2\0\0\0\1"
				       "\0\0\0\x08\0\0\0\0\0\0\1\2"
				       "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff";
	static const char texts[] = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1"
				    "\0\0\0\3ann"
				    "\xff\xff\xff\xff";
	const struct database_value values[] = {
	    {.type = DATABASE_INTEGER, .integer = 258},
	    {.type = DATABASE_TEXT, .data = "ann", .size = 3},
	    {.type = DATABASE_INTEGER, .integer = -1},
	    {.type = DATABASE_TEXT, .data = NULL},
	};
	const struct database_rows rows = {.columns = 2, .count = 2, .values = values};
	struct buffer out = {0};

	(void)state;
	assert_int_equal(postgres_array_append(&out, &rows, 0), 0);
	assert_int_equal(out.size, sizeof(integers) - 1);
	assert_memory_equal(out.data, integers, out.size);
	buffer_clear(&out);
	assert_int_equal(postgres_array_append(&out, &rows, 1), 0);
	assert_int_equal(out.size, sizeof(texts) - 1);
	assert_memory_equal(out.data, texts, out.size);
	buffer_finish(&out);
}

static void no_room_is_said(void **state)
{
	const struct database_value value = {.type = DATABASE_INTEGER};
	const struct database_rows rows = {.columns = 1, .count = 1, .values = &value};
	struct buffer out = {.limit = 30};

	(void)state;
	assert_true(postgres_array_append(&out, &rows, 0) < 0);
	buffer_finish(&out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_column_of_each_kind),
    cmocka_unit_test(no_room_is_said),
};

RUN_TESTS(tests)
