#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/output/endpoint_row.h"

#define NOW INT64_C(1700000000000)

static const struct callback_endpoint rotating = {
    .prefix = "https://example.com/hooks",
    .secret = "whsec_secret",
    .old_secret = "whsec_secret_before",
    .created_at_ms = NOW - 5000,
    .rotated_at_ms = NOW - 1000,
};
static const struct callback_endpoint gone = {
    .prefix = "hooks.example.com", .created_at_ms = NOW, .disabled_at_ms = NOW, .reason = "HTTP 410"};

static void test_table(void **state)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	table_init(&table, endpoint_row_columns, ENDPOINT_ROW_COLUMNS);
	endpoint_row_add(&table, &rotating, NOW);
	endpoint_row_add(&table, &rotating, NOW - 1000 + ENDPOINTS_ROTATION_MS);
	endpoint_row_add(&table, &gone, NOW);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	table_finish(&table);
	fclose(out);
	assert_string_equal(
	    text, "endpoint                   secret    rotated               disabled              reason\n"
		  "https://example.com/hooks  rotating  2023-11-14T22:13:19Z  -                     -\n"
		  "https://example.com/hooks  own       2023-11-14T22:13:19Z  -                     -\n"
		  "hooks.example.com          common    -                     2023-11-14T22:13:20Z  HTTP 410\n");
	free(text);
}

static void test_json(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(endpoint_row_json(&rotating, NOW, out), 0);
	assert_int_equal(endpoint_row_json(&gone, NOW, out), 0);
	fclose(out);
	assert_string_equal(
	    text,
	    "{\"endpoint\":\"https://example.com/hooks\",\"secret\":\"rotating\","
	    "\"created_at\":\"2023-11-14T22:13:15.000Z\",\"rotated_at\":\"2023-11-14T22:13:19.000Z\","
	    "\"disabled_at\":null,\"reason\":null}\n"
	    "{\"endpoint\":\"hooks.example.com\",\"secret\":\"common\",\"created_at\":\"2023-11-14T22:13:20.000Z\","
	    "\"rotated_at\":null,\"disabled_at\":\"2023-11-14T22:13:20.000Z\",\"reason\":\"HTTP 410\"}\n");
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_table),
    cmocka_unit_test(test_json),
};

RUN_TESTS(tests)
