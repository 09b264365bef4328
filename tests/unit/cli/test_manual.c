#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/commands/command.h"

/* Every command and option of the tables must be where people look for it. */

static char *read_source(const char *name)
{
	struct buffer text = {0};
	struct error err = {0};
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", CLI_SOURCE_DIR, name);
	if (buffer_read_file(&text, path, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	return (char *)buffer_steal(&text);
}

static void assert_mentions(const char *text, const char *file, const char *words)
{
	if (!strstr(text, words))
		fail_msg("%s does not mention %s", file, words);
}

static void assert_mentions_options(const char *file, const struct arg_option *options)
{
	char *text = read_source(file);

	for (; options->name; options++) {
		char words[64];
		/* scdoc escapes nothing in bold text: *--option* */
		snprintf(words, sizeof(words), "--%s", options->name);
		assert_mentions(text, file, words);
	}
	free(text);
}

static void test_manual_pages(void **state)
{
	(void)state;
	char *page = read_source("man/facefleet.1.scd");
	for (const struct command *const *c = command_table; *c; c++) {
		char name[64];
		snprintf(name, sizeof(name), "*%s*", (*c)->name);
		assert_mentions(page, "man/facefleet.1.scd", name);
		snprintf(name, sizeof(name), "man/facefleet-%s.1.scd", (*c)->name);
		for (const struct arg_option *const *table = (*c)->options; *table; table++)
			assert_mentions_options(name, *table);
	}
	free(page);
	assert_mentions_options("man/facefleet.1.scd", command_global_options);
}

static void check_completion(const char *file)
{
	char *text = read_source(file);

	for (const struct command *const *c = command_table; *c; c++)
		assert_mentions(text, file, (*c)->name);
	free(text);
	for (const struct command *const *c = command_table; *c; c++)
		for (const struct arg_option *const *table = (*c)->options; *table; table++)
			assert_mentions_options(file, *table);
	assert_mentions_options(file, command_global_options);
}

static void test_completion(void **state)
{
	(void)state;
	check_completion("completion/facefleet.bash");
	check_completion("completion/_facefleet");
}

static void test_help(void **state)
{
	(void)state;
	for (const struct command *const *c = command_table; *c; c++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		command_print_help(*c, out);
		fclose(out);
		assert_mentions(text, "help", (*c)->summary);
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
			if (strlen(line) > 110)
				fail_msg("help %s is too wide: %s", (*c)->name, line);
		free(text);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_manual_pages),
    cmocka_unit_test(test_completion),
    cmocka_unit_test(test_help),
};

RUN_TESTS(tests)
