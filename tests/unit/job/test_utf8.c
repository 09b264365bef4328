#include "run.h"

#include <string.h>

#include "base/compiler.h"
#include "job/utf8.h"

static void test_characters(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} cases[] = {
	    {"a", 1},
	    {"\x7F", 1},
	    {"\xC2\x80", 2},
	    {"\xC3\xA9", 2},
	    {"\xDF\xBF", 2},
	    {"\xE0\xA0\x80", 3},
	    {"\xE2\x82\xAC", 3},
	    {"\xED\x9F\xBF", 3},
	    {"\xEE\x80\x80", 3},
	    {"\xEF\xBF\xBF", 3},
	    {"\xF0\x90\x80\x80", 4},
	    {"\xF4\x8F\xBF\xBF", 4},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		assert_int_equal(utf8_character(cases[i].text, strlen(cases[i].text)), cases[i].size);
		assert_int_equal(utf8_character(cases[i].text, cases[i].size - 1), 0);
	}
}

static void test_ill_formed(void **state)
{
	static const char *const cases[] = {
	    "\x80",             /* a continuation alone */
	    "\xC0\x80",         /* overlong NUL */
	    "\xC1\xBF",         /* overlong, two bytes */
	    "\xE0\x9F\xBF",     /* overlong, three bytes */
	    "\xF0\x8F\xBF\xBF", /* overlong, four bytes */
	    "\xED\xA0\x80",     /* surrogate */
	    "\xF4\x90\x80\x80", /* above U+10FFFF */
	    "\xF5\x80\x80\x80", /* a lead byte that is never used */
	    "\xFF",
	    "\xC3z",
	    "\xE2\x82z",
	    "\xF0\x90\x80z",
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++)
		assert_int_equal(utf8_character(cases[i], strlen(cases[i])), 0);
}

static void test_texts(void **state)
{
	(void)state;
	assert_true(utf8_is_valid("", 0));
	assert_true(utf8_is_valid("Zoë 北京 🙂", strlen("Zoë 北京 🙂")));
	assert_false(utf8_is_valid("Zo\xEB", 3));
	assert_false(utf8_is_valid("Zoë", 3));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_characters),
    cmocka_unit_test(test_ill_formed),
    cmocka_unit_test(test_texts),
};

RUN_TESTS(tests)
