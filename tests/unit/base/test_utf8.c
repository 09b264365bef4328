#include "run.h"

#include <string.h>

#include "base/utf8.h"

static void check(const char *text, size_t size, size_t length, uint32_t code)
{
	uint32_t got = 0xFFFFFFFF;

	assert_int_equal(utf8_decode(text, size, &got), length);
	if (length > 0)
		assert_int_equal(got, code);
}

static void test_characters_of_every_length_are_decoded(void **state)
{
	(void)state;
	check("a", 1, 1, 'a');
	check("\xC3\xA9", 2, 2, 0xE9);
	check("\xE2\x82\xAC", 3, 3, 0x20AC);
	check("\xF0\x9F\x98\x80 and more", 13, 4, 0x1F600);
	check("\xF4\x8F\xBF\xBF", 4, 4, 0x10FFFF);
	check("\xED\x9F\xBF", 3, 3, 0xD7FF);
	check("\xEE\x80\x80", 3, 3, 0xE000);
	check("", 1, 1, 0);
}

static void test_malformed_bytes_are_refused(void **state)
{
	(void)state;
	check("\x80", 1, 0, 0);                 /* a continuation first */
	check("\xC3", 1, 0, 0);                 /* cut short */
	check("\xC3(", 2, 0, 0);                /* no continuation */
	check("\xC0\x80", 2, 0, 0);             /* overlong */
	check("\xE0\x80\xAF", 3, 0, 0);         /* overlong */
	check("\xF0\x80\x80\x80", 4, 0, 0);     /* overlong */
	check("\xED\xA0\x80", 3, 0, 0);         /* a surrogate */
	check("\xF4\x90\x80\x80", 4, 0, 0);     /* above U+10FFFF */
	check("\xF8\x88\x80\x80\x80", 5, 0, 0); /* five bytes */
	check("\xFF", 1, 0, 0);
}

static void test_whole_strings_are_judged(void **state)
{
	(void)state;
	assert_int_equal(utf8_decode("", 0, NULL), 0);
	assert_true(utf8_is_valid("", 0));
	assert_true(utf8_is_valid("Zoë 北京 🙂", strlen("Zoë 北京 🙂")));
	assert_false(utf8_is_valid("Zo\xEB", 3));
	assert_false(utf8_is_valid("Zoë", 3));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_characters_of_every_length_are_decoded),
    cmocka_unit_test(test_malformed_bytes_are_refused),
    cmocka_unit_test(test_whole_strings_are_judged),
};

RUN_TESTS(tests)
