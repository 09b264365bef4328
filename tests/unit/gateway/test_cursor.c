#include "gateway/cursor.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "run.h"

static void test_there_and_back(void **state)
{
	static const int64_t times[] = {0, 1, 999, 1764108000000, INT64_MAX};
	char text[CURSOR_SIZE];

	(void)state;
	for (size_t i = 0; i < array_size(times); i++) {
		struct tasks_cursor cursor = {.accepted_at_ms = times[i]};
		struct tasks_cursor back = {0};

		uuid_v7(cursor.task_id);
		cursor_print(&cursor, text);
		assert_null(strpbrk(text, "+/= "));
		assert_true(cursor_parse(text, &back));
		assert_int_equal(back.accepted_at_ms, cursor.accepted_at_ms);
		assert_string_equal(back.task_id, cursor.task_id);
	}
}

static void test_what_is_no_cursor(void **state)
{
	static const char *const texts[] = {"",
					    "a",
					    "abc",
					    "====",
					    "MTc2NDEwODAwMDAwMCA",
					    "LTEgMDE5MDAwMDAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAw",
					    "ICAxIDAxOTAwMDAwLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwMA",
					    "MSAwMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDAx",
					    "MSAwMTkwMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDA/"};
	struct tasks_cursor cursor = {.accepted_at_ms = 7};
	char text[512];

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++)
		if (cursor_parse(texts[i], &cursor))
			fail_msg("%s", texts[i]);
	memset(text, 'A', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(cursor_parse(text, &cursor));
	assert_int_equal(cursor.accepted_at_ms, 7);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
					  cmocka_unit_test(test_what_is_no_cursor)};

RUN_TESTS(tests)
