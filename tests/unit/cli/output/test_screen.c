#include "run.h"

#include <string.h>

#include "cli/output/screen.h"

static void assert_cut(const char *text, unsigned width, const char *expected)
{
	assert_int_equal(screen_cut(text, width), strlen(expected));
	assert_memory_equal(text, expected, strlen(expected));
}

static void test_lines_are_cut_at_characters(void **state)
{
	(void)state;
	assert_cut("", 3, "");
	assert_cut("abc", 3, "abc");
	assert_cut("abcd", 3, "abc");
	assert_cut("äöüß", 3, "äöü");
	assert_cut("ab\ncd", 3, "ab");
	assert_cut("abc", 0, "");
	assert_cut("\xff\xff\xff", 2, "\xff\xff");
}

static void test_colours_have_no_width(void **state)
{
	(void)state;
	assert_cut("\033[1;31mab\033[0mcd", 3, "\033[1;31mab\033[0mc");
	assert_cut("\033[1;31mab\033[0m", 2, "\033[1;31mab\033[0m");
	/* What is no colour is text. */
	assert_cut("\033[2Jx", 3, "\033[2");
	assert_cut("\033[", 3, "\033[");
}

static void test_no_terminal_no_screen(void **state)
{
	(void)state;
	assert_null(screen_open());
	screen_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_lines_are_cut_at_characters),
    cmocka_unit_test(test_colours_have_no_width),
    cmocka_unit_test(test_no_terminal_no_screen),
};

RUN_TESTS(tests)
