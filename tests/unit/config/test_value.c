#include "config/value.h"

#include <errno.h>
#include <string.h>

#include "run.h"

static const struct option_row integer = {.type = OPTION_INTEGER, .min = -5, .max = 60, .unit = "s"};
static const struct option_row number = {.type = OPTION_NUMBER, .min = -1, .max = 1.5, .unit = ""};
static const struct option_row boolean = {.type = OPTION_BOOLEAN, .unit = ""};
static const struct option_row choice = {.type = OPTION_CHOICE, .choices = "one|two|three", .unit = ""};
static const struct option_row string = {.type = OPTION_STRING, .min = 1, .max = 5, .unit = ""};
static const struct option_row secret = {.type = OPTION_SECRET, .min = 1, .max = 5, .unit = ""};

static struct value good(const struct option_row *row, const char *text)
{
	struct value value = {0};
	char why[200];

	if (value_parse(row, text, &value, why, sizeof(why)) < 0)
		fail_msg("\"%s\": %s", text, why);
	return value;
}

static void bad(const struct option_row *row, const char *text, const char *expected)
{
	struct value value = {.integer = 42};
	char why[200];

	assert_int_equal(value_parse(row, text, &value, why, sizeof(why)), -EINVAL);
	assert_int_equal(value.integer, 42);
	assert_string_equal(why, expected);
}

static void all_bad(const struct option_row *row, const char *const *texts)
{
	for (; *texts; texts++) {
		struct value value;
		char why[200];
		if (value_parse(row, *texts, &value, why, sizeof(why)) == 0)
			fail_msg("\"%s\" was accepted", *texts);
	}
}

static void test_integers(void **state)
{
	(void)state;
	assert_int_equal(good(&integer, "0").integer, 0);
	assert_int_equal(good(&integer, "-5").integer, -5);
	assert_int_equal(good(&integer, "60").integer, 60);
	assert_int_equal(good(&integer, "007").integer, 7);
	bad(&integer, "61", "expected an integer from -5 to 60 (s), not \"61\"");
	all_bad(&integer, (const char *const[]){"-6", "", "-", "+1", "1.0", "1e1", "0x1", " 1", "1 ", "1s", "--1",
						"99999999999999999999", "-99999999999999999999", NULL});
}

static void test_numbers(void **state)
{
	(void)state;
	assert_true(good(&number, "-1").number == -1);
	assert_true(good(&number, "1.5").number == 1.5);
	assert_true(good(&number, "+.25e0").number == 0.25);
	bad(&number, "1.51", "expected a number from -1 to 1.5, not \"1.51\"");
	all_bad(&number, (const char *const[]){"", "nan", "inf", "-inf", "0x1p0", " 1", "1 ", "1e999", "e", ".", "1,5",
					       "1-1", NULL});
}

static void test_booleans(void **state)
{
	(void)state;
	assert_true(good(&boolean, "true").boolean);
	assert_true(good(&boolean, "Yes").boolean);
	assert_true(good(&boolean, "on").boolean);
	assert_false(good(&boolean, "FALSE").boolean);
	assert_false(good(&boolean, "no").boolean);
	assert_false(good(&boolean, "off").boolean);
	bad(&boolean, "1", "expected true or false, not \"1\"");
	all_bad(&boolean, (const char *const[]){"", "tru", "truee", "y", NULL});
}

static void test_choices(void **state)
{
	(void)state;
	good(&choice, "one");
	good(&choice, "two");
	good(&choice, "three");
	bad(&choice, "four", "expected one of one|two|three, not \"four\"");
	all_bad(&choice, (const char *const[]){"", "on", "one|two", "|", "thre", "threee", "ONE", NULL});
}

static void test_strings(void **state)
{
	(void)state;
	good(&string, "a");
	good(&string, "abcde");
	good(&string, "\xC3\xA9 b");
	bad(&string, "", "expected a text of 1 to 5 bytes without control characters, not \"\"");
	all_bad(&string, (const char *const[]){"abcdef", "a\nb", "a\x7F", "\t", NULL});
}

static void test_a_secret_is_not_repeated(void **state)
{
	(void)state;
	good(&secret, "abcde");
	bad(&secret, "hunter2", "expected a text of 1 to 5 bytes without control characters");
}

static void test_long_values_are_cut_in_the_error(void **state)
{
	(void)state;
	bad(&integer, "0123456789012345678901234567890123456789x",
	    "expected an integer from -5 to 60 (s), not \"0123456789012345678901234567890123456789…\"");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_integers),
    cmocka_unit_test(test_numbers),
    cmocka_unit_test(test_booleans),
    cmocka_unit_test(test_choices),
    cmocka_unit_test(test_strings),
    cmocka_unit_test(test_a_secret_is_not_repeated),
    cmocka_unit_test(test_long_values_are_cut_in_the_error),
};

RUN_TESTS(tests)
