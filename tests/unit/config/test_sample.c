/* deploy/facefleet.yaml against the table of options. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/config.h"
#include "config/effective.h"
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

/* Takes the # from before every option ("  #name: …"), and from before the fields of the example of a scene. */
static void uncomment(char *text)
{
	for (char *c = text; (c = strchr(c, '\n')); c++) {
		char *mark = c + 1 + strspn(c + 1, " ");
		if (mark[0] == '#' && mark[1] != ' ' && mark > c + 1)
			memmove(mark, mark + 1, strlen(mark + 1) + 1);
	}
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
	assert_int_equal(s.count, OPTION_COUNT + SCENE_FIELD_COUNT);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		assert_ptr_equal(s.items[i].row, &option_table[i]);
		assert_string_equal(s.items[i].value, option_table[i].fallback);
	}
	struct config *config = NULL;
	if (config_merge(&config, &s, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(scene_find_in(config_scenes(config), "kiosk"));
	config_free(config);
	settings_finish(&s);
	free(text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_the_file_is_what_the_table_says),
    cmocka_unit_test(test_as_it_is_it_sets_nothing),
    cmocka_unit_test(test_without_the_marks_it_sets_every_option_to_its_default),
};

RUN_TESTS(tests)
