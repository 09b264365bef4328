#include "run.h"

#include "cli/output/escape.h"

static void assert_escaped(const char *text, const char *expected)
{
	char out[ESCAPE_SIZE];

	assert_string_equal(escape_text(text, out, sizeof(out)), expected);
}

static void test_plain_text_stays(void **state)
{
	(void)state;
	assert_escaped("", "");
	assert_escaped("Zürich 東京 a\\b \"q\"", "Zürich 東京 a\\b \"q\"");
}

static void test_controls_are_spelled(void **state)
{
	(void)state;
	assert_escaped("a\nb\tc\rd", "a\\nb\\tc\\rd");
	assert_escaped("\033[31mred\x7f", "\\x1b[31mred\\x7f");
	assert_escaped("\xc2\x9b"
		       "2J",
		       "\\u009b2J"); /* CSI of the C1 range */
	assert_escaped("a\xe2\x80\xae"
		       "gpj.exe",
		       "a\\u202egpj.exe"); /* right-to-left override */
}

static void test_stray_bytes_are_spelled(void **state)
{
	(void)state;
	assert_escaped("caf\xe9.jpg", "caf\\xe9.jpg");
	assert_escaped("cut\xe6\x9d", "cut\\xe6\\x9d");
}

static void test_cut_at_whole_characters(void **state)
{
	char out[6];

	(void)state;
	assert_string_equal(escape_text("abcdefgh", out, sizeof(out)), "abcde");
	assert_string_equal(escape_text("abcdü", out, sizeof(out)), "abcd");
	assert_string_equal(escape_text("ab\033", out, sizeof(out)), "ab");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_plain_text_stays),
    cmocka_unit_test(test_controls_are_spelled),
    cmocka_unit_test(test_stray_bytes_are_spelled),
    cmocka_unit_test(test_cut_at_whole_characters),
};

RUN_TESTS(tests)
