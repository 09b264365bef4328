#include "../run.h"

#include <stdio.h>
#include <string.h>

#include "store/key_collections.h"

static int add(struct key_collections *collections, const char *name)
{
	struct error err = {0};
	int r = key_collections_add(collections, name, &err);

	assert_true(r == 0 || err.code == ERROR_CONFIG);
	return r;
}

static void test_names(void **state)
{
	struct key_collections c = {0};

	(void)state;
	assert_false(key_collections_have(&c, "default"));
	assert_int_equal(add(&c, "staff"), 0);
	assert_int_equal(add(&c, "a, b*"), 0);
	assert_int_equal(add(&c, "staff"), 0);
	assert_string_equal(c.text, "staff\na, b*");
	assert_true(key_collections_have(&c, "staff") && key_collections_have(&c, "a, b*"));
	static const char *const others[] = {"", "*", "Staff", "staf", "staff ", "a", "staff\na, b*", "\n"};
	for (size_t i = 0; i < array_size(others); i++)
		assert_false(key_collections_have(&c, others[i]));
}

static void test_all(void **state)
{
	struct key_collections c = {0};

	(void)state;
	assert_int_equal(add(&c, "staff"), 0);
	assert_int_equal(add(&c, KEY_COLLECTIONS_ALL), 0);
	assert_int_equal(add(&c, "guests"), 0);
	assert_string_equal(c.text, KEY_COLLECTIONS_ALL);
	assert_true(key_collections_have(&c, "whatever") && key_collections_have(&c, "*"));
}

static void test_what_is_no_name(void **state)
{
	struct key_collections c = {.text = "staff"};
	char long_name[JOB_MAX_COLLECTION_BYTES + 2];
	static const char *const bad[] = {"", "a\nb", "\x1b[31m", "\x7f", "\xFF"};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++)
		assert_true(add(&c, bad[i]) < 0);
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_true(add(&c, long_name) < 0);
	assert_string_equal(c.text, "staff");
}

/* The longest names, as many as there may be: all of them fit. */
static void test_how_many(void **state)
{
	struct key_collections c = {0}, again = {0};
	char name[JOB_MAX_COLLECTION_BYTES + 1];

	(void)state;
	for (int i = 0; i < KEY_COLLECTIONS_MAX; i++) {
		snprintf(name, sizeof(name), "%0*d", JOB_MAX_COLLECTION_BYTES, i);
		assert_int_equal(add(&c, name), 0);
	}
	assert_int_equal(add(&c, name), 0);
	assert_true(add(&c, "one more") < 0);
	assert_true(key_collections_have(&c, name));
	assert_true(key_collections_read(&again, c.text));
	assert_string_equal(again.text, c.text);
	assert_int_equal(add(&c, "*"), 0);
}

static void test_what_is_read(void **state)
{
	static const char *const bad[] = {"", "\n", "a\n", "\na", "a\n\nb", "a\na", "*\na", "a\n*", "a\tb", "\xFF"};
	struct key_collections c = {.text = "untouched"};
	char large[KEY_COLLECTIONS_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++)
		assert_false(key_collections_read(&c, bad[i]));
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_false(key_collections_read(&c, large));
	assert_string_equal(c.text, "untouched");
	assert_true(key_collections_read(&c, "a\nb"));
	assert_string_equal(c.text, "a\nb");
	assert_true(key_collections_read(&c, "*"));
}

static void test_one_after_the_other(void **state)
{
	const struct key_collections c = {.text = "a\nbc"};
	char name[JOB_MAX_COLLECTION_BYTES + 1];
	const char *place = NULL;

	(void)state;
	assert_true(key_collections_next(&c, &place, name));
	assert_string_equal(name, "a");
	assert_true(key_collections_next(&c, &place, name));
	assert_string_equal(name, "bc");
	assert_false(key_collections_next(&c, &place, name));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_names),    cmocka_unit_test(test_all),          cmocka_unit_test(test_what_is_no_name),
    cmocka_unit_test(test_how_many), cmocka_unit_test(test_what_is_read), cmocka_unit_test(test_one_after_the_other),
};

RUN_TESTS(tests)
