#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/collection_row.h"

static const struct collection_summary with_model = {"st\033aff", "0123456789abcdef0123", 2, 3, 10};
static const struct collection_summary without_model = {"staff", "", 1, 4, 10};

static void assert_printed(const struct collection_summary *summary, bool json, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (json)
		assert_int_equal(collection_row_json(summary, out), 0);
	else
		collection_row_text(summary, out);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_table(void **state)
{
	(void)state;
	assert_printed(&with_model, false,
		       "st\\x1baff                 0123456789ab           2           3           7\n");
	assert_printed(&without_model, false,
		       "staff                     none                   1           4           -\n");
}

static void test_json(void **state)
{
	(void)state;
	assert_printed(
	    &with_model, true,
	    "{\"collection\":\"st\\u001Baff\",\"model_id\":\"0123456789abcdef0123\",\"users\":2,\"images\":3,"
	    "\"missing\":7}\n");
	assert_printed(&without_model, true,
		       "{\"collection\":\"staff\",\"model_id\":null,\"users\":1,\"images\":4,\"missing\":null}\n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
