/* deploy/facefleet.yaml against the table of options. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/config.h"
#include "config/settings.h"
#include "run.h"

static char *generate(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_print_sample(out);
	fclose(out);
	return text;
}

static void test_the_file_is_what_the_table_says(void **state)
{
	struct buffer file = {0};
	struct error err = {0};
	char *text = generate();

	(void)state;
	if (buffer_read_file(&file, SAMPLE_FILE, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	if (strcmp((char *)file.data, text) != 0)
		fail_msg("%s is stale: run ninja -C build update-sample", SAMPLE_FILE);
	buffer_finish(&file);
	free(text);
}

static void test_as_it_is_it_sets_nothing(void **state)
{
	struct settings s = {0};
	struct error err = {0};
	char *text = generate();

	(void)state;
	if (settings_add_yaml(&s, "sample", (uint8_t *)text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s.count, 0);
	free(text);
}

/* Takes the # from before every option ("  #name: …"). */
static void uncomment(char *text)
{
	for (char *c = text; (c = strstr(c, "\n  #")); c++)
		if (c[4] != ' ')
			memmove(c + 3, c + 4, strlen(c + 4) + 1);
}

static void test_without_the_marks_it_sets_every_option_to_its_default(void **state)
{
	struct settings s = {0};
	struct error err = {0};
	char *text = generate();

	(void)state;
	uncomment(text);
	if (settings_add_yaml(&s, "sample", (uint8_t *)text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s.count, OPTION_COUNT);
	for (size_t i = 0; i < s.count; i++) {
		assert_int_equal(s.items[i].option, i);
		assert_string_equal(s.items[i].value, option_table[i].fallback);
	}
	settings_finish(&s);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_the_file_is_what_the_table_says),
    cmocka_unit_test(test_as_it_is_it_sets_nothing),
    cmocka_unit_test(test_without_the_marks_it_sets_every_option_to_its_default),
};

RUN_TESTS(tests)
