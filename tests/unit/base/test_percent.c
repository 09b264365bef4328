#include "run.h"

#include <string.h>

#include "base/percent.h"

static char out[8];

static int decode(const char *text, struct error *err)
{
	return percent_decode(text, strlen(text), "the word", out, sizeof(out), err);
}

static void test_what_is_encoded_comes_out(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(decode("", &err), 0);
	assert_string_equal(out, "");
	assert_int_equal(decode("a%2fb%2F%41", &err), 0);
	assert_string_equal(out, "a/b/A");
	assert_int_equal(decode("%C3%a9+~", &err), 0);
	assert_string_equal(out, "\xc3\xa9+~");
}

static void test_what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text;
		const char *complaint;
	} bad[] = {
	    {"%", "two hex digits"},      {"a%2", "two hex digits"},     {"%g0", "two hex digits"},
	    {"%0x", "two hex digits"},    {"%00", "control character"},  {"a\tb", "control character"},
	    {"%7F", "control character"}, {"12345678", "longer than 7"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error err = {0};

		assert_true(decode(bad[i].text, &err) < 0);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_non_null(strstr(err.text, bad[i].complaint));
		assert_ptr_equal(strstr(err.text, "the word"), err.text);
	}
}

static void test_only_the_given_length_counts(void **state)
{
	struct error err = {0};

	(void)state;
	assert_int_equal(percent_decode("ab%41", 2, "the word", out, sizeof(out), &err), 0);
	assert_string_equal(out, "ab");
	assert_true(percent_decode("ab%41", 4, "the word", out, sizeof(out), &err) < 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_is_encoded_comes_out),
    cmocka_unit_test(test_what_is_wrong_is_named),
    cmocka_unit_test(test_only_the_given_length_counts),
};

RUN_TESTS(tests)
