#include "config/config.h"

#include <string.h>

#include "run.h"

#define PARSE(args, err, ...)                                                                                          \
	config_parse_args(args, array_size(((char *[]){__VA_ARGS__})), (char *[]){__VA_ARGS__, NULL}, err)

static void test_nothing(void **state)
{
	struct config_args args;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&args, &err, (char *)"p"), 0);
	assert_null(args.sources.path);
	assert_int_equal(args.sources.set_count, 0);
	assert_false(args.print_config || args.help || args.version);
	config_args_finish(&args);
}

static void test_everything(void **state)
{
	struct config_args args;
	struct error err;

	(void)state;
	assert_int_equal(PARSE(&args, &err, (char *)"p", (char *)"--config", (char *)"f.yaml", (char *)"--set=a.b=c",
			       (char *)"--set", (char *)"d.e=f", (char *)"--print-config", (char *)"--help",
			       (char *)"--version"),
			 0);
	assert_string_equal(args.sources.path, "f.yaml");
	assert_int_equal(args.sources.set_count, 2);
	assert_string_equal(args.sources.sets[0], "a.b=c");
	assert_string_equal(args.sources.sets[1], "d.e=f");
	assert_true(args.print_config && args.help && args.version);
	config_args_finish(&args);
}

static void test_everything_else_is_refused(void **state)
{
	static const struct {
		const char *word;
		const char *fault;
	} cases[] = {
	    {"--nonsense", "--nonsense: unknown argument"},
	    {"-x", "-x: unknown argument"},
	    {"file", "file: unknown argument"},
	    {"--set", "--set: a value is missing"},
	    {"--config", "--config: a value is missing"},
	    {"--help=yes", "--help=yes: unknown argument"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		struct config_args args = {.help = true};
		struct error err = {0};
		assert_true(PARSE(&args, &err, (char *)"p", (char *)cases[i].word) < 0);
		assert_true(args.help); /* untouched */
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_memory_equal(err.text, cases[i].fault, strlen(cases[i].fault));
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing),
    cmocka_unit_test(test_everything),
    cmocka_unit_test(test_everything_else_is_refused),
};

RUN_TESTS(tests)
