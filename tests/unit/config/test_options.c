#include "config/options.h"

#include <ctype.h>
#include <string.h>

#include "config/settings.h"
#include "config/value.h"
#include "run.h"

static void test_every_row_is_complete(void **state)
{
	(void)state;
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];
		assert_non_null(row->key);
		assert_non_null(row->fallback);
		assert_non_null(row->unit);
		assert_true((row->type == OPTION_CHOICE) == (row->choices != NULL));
		assert_true(row->min <= row->max);
		assert_true(strlen(row->key) < 64);
		size_t length = strlen(row->sentence);
		assert_true(length > 10 && row->sentence[length - 1] == '.');
	}
}

static void test_keys_are_section_dot_name(void **state)
{
	(void)state;
	for (int i = 0; i < OPTION_COUNT; i++) {
		const char *key = option_table[i].key;
		const char *dot = strchr(key, '.');
		assert_non_null(dot);
		assert_null(strchr(dot + 1, '.'));
		for (const char *c = key; *c != '\0'; c++)
			assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '.' || *c == '_');
	}
}

static void test_defaults_pass_their_own_checks(void **state)
{
	(void)state;
	for (int i = 0; i < OPTION_COUNT; i++) {
		struct value value;
		char why[200];
		if (value_parse(&option_table[i], option_table[i].fallback, &value, why, sizeof(why)) < 0)
			fail_msg("%s: %s", option_table[i].key, why);
	}
}

static void test_no_two_options_share_a_key_or_a_variable(void **state)
{
	(void)state;
	for (int i = 0; i < OPTION_COUNT; i++)
		for (int j = 0; j < i; j++) {
			char a[SETTINGS_NAME_SIZE];
			char b[SETTINGS_NAME_SIZE];
			settings_environment_name(option_table[i].key, a);
			settings_environment_name(option_table[j].key, b);
			assert_string_not_equal(a, b);
		}
}

static void test_sections_are_contiguous(void **state)
{
	(void)state;
	for (int i = 1; i < OPTION_COUNT; i++) {
		size_t length = strcspn(option_table[i].key, ".") + 1;
		if (strncmp(option_table[i].key, option_table[i - 1].key, length) == 0)
			continue;
		for (int j = 0; j < i; j++)
			assert_true(strncmp(option_table[i].key, option_table[j].key, length) != 0);
	}
}

/* What changes is told from what to what. */
static void test_no_secret_renews(void **state)
{
	(void)state;
	for (int i = 0; i < OPTION_COUNT; i++)
		assert_false(option_table[i].type == OPTION_SECRET && option_table[i].change == OPTION_RENEWS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_row_is_complete),
    cmocka_unit_test(test_keys_are_section_dot_name),
    cmocka_unit_test(test_defaults_pass_their_own_checks),
    cmocka_unit_test(test_no_two_options_share_a_key_or_a_variable),
    cmocka_unit_test(test_sections_are_contiguous),
    cmocka_unit_test(test_no_secret_renews),
};

RUN_TESTS(tests)
