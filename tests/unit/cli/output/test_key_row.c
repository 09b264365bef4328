#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/output/key_row.h"

static const struct api_key open_key = {
    .id = "0123456789abcdef",
    .name = "sh\033op",
    .scopes = KEY_MATCH | KEY_ADMIN,
    .collections = {"staff\ngu\"ests"},
    .rate = 2.5,
    .burst = 10,
    .created_at_ms = INT64_C(1700000000123),
};
static const struct api_key closed_key = {
    .id = "fedcba9876543210",
    .name = "old",
    .scopes = KEY_ENROLL,
    .collections = {"*"},
    .created_at_ms = INT64_C(1700000000000),
    .revoked_at_ms = INT64_C(1700000001000),
};

static void test_table(void **state)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	table_init(&table, key_row_columns, KEY_ROW_COLUMNS);
	key_row_add(&table, &open_key);
	key_row_add(&table, &closed_key);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	table_finish(&table);
	fclose(out);
	assert_string_equal(
	    text, "id                name      scopes       collections    rate  burst  created               revoked\n"
		  "0123456789abcdef  sh\\x1bop  match,admin  staff,gu\"ests   2.5     10  2023-11-14T22:13:20Z  -\n"
		  "fedcba9876543210  old       enroll       *                 -      -  2023-11-14T22:13:20Z  "
		  "2023-11-14T22:13:21Z\n");
	free(text);
}

static void assert_json(const struct api_key *key, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(key_row_json(key, out), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_json(void **state)
{
	(void)state;
	assert_json(&open_key, "{\"id\":\"0123456789abcdef\",\"name\":\"sh\\u001Bop\",\"scopes\":[\"match\",\"admin\"],"
			       "\"collections\":[\"staff\",\"gu\\\"ests\"],\"rate\":2.5,"
			       "\"burst\":10.0,\"created_at\":\"2023-11-14T22:13:20.123Z\",\"revoked_at\":null}\n");
	assert_json(&closed_key, "{\"id\":\"fedcba9876543210\",\"name\":\"old\",\"scopes\":[\"enroll\"],"
				 "\"collections\":[\"*\"],\"rate\":null,"
				 "\"burst\":null,\"created_at\":\"2023-11-14T22:13:20.000Z\",\"revoked_at\":\"2023-11-"
				 "14T22:13:21.000Z\"}\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
