#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/output/setting_row.h"

static const struct central_setting setting = {
    .program = "worker", .key = "log.level", .value = "de\033bug", .revision = 7};
static const struct central_change change = {
    .revision = 8,
    .at_ms = INT64_C(1700000000000),
    .who = "root@host",
    .program = "",
    .key = "log.level",
    .before = "info",
    .after = NULL,
};

static void tables(void **state)
{
	struct table table;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	table_init(&table, setting_row_columns, SETTING_ROW_COLUMNS);
	setting_row_add(&table, &setting);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	table_finish(&table);
	table_init(&table, setting_row_change_columns, SETTING_ROW_CHANGE_COLUMNS);
	setting_row_add_change(&table, &change);
	assert_int_equal(table_print(&table, out, (struct terminal){0}), 0);
	table_finish(&table);
	fclose(out);
	assert_string_equal(text, "setting    value      for     revision\n"
				  "log.level  de\\x1bbug  worker         7\n"
				  "revision  time                  who        for  setting    before  after\n"
				  "       8  2023-11-14T22:13:20Z  root@host  all  log.level  info    -\n");
	free(text);
}

static void json(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(setting_row_json(&setting, out), 0);
	assert_int_equal(setting_row_change_json(&change, out), 0);
	fclose(out);
	assert_string_equal(
	    text, "{\"setting\":\"log.level\",\"value\":\"de\\u001Bbug\",\"program\":\"worker\",\"revision\":7}\n"
		  "{\"revision\":8,\"at\":\"2023-11-14T22:13:20.000Z\",\"who\":\"root@host\",\"program\":null,"
		  "\"setting\":\"log.level\",\"before\":\"info\",\"after\":null}\n");
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tables),
    cmocka_unit_test(json),
};

RUN_TESTS(tests)
