#include "run.h"

#include <errno.h>
#include <string.h>

#include "cli/arguments/args.h"

static const struct arg_option general[] = {{"verbose", 'v', NULL, ""}, {"set", 's', "KEY=VALUE", ""}, {0}};
static const struct arg_option special[] = {{"threshold", 0, "T", ""}, {"json", 'j', NULL, ""}, {0}};
static const struct arg_option *const tables[] = {general, special, NULL};

#define PARSE(args, err, ...) parse(args, err, (const char *[]){__VA_ARGS__, NULL})

static int parse(struct args *args, struct error *err, const char *const *argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	assert_int_equal(args_init(args, argc, argv), 0);
	return args_parse(args, argc, argv, tables, false, err);
}

static void test_every_spelling(void **state)
{
	struct args args;
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    PARSE(&args, &err, "-vjv", "--set=a=b", "x", "-sc=d", "--threshold", "0.5", "-s", "e=f", "-", "--", "-v"),
	    11);
	assert_int_equal(args_count(&args, "verbose"), 2);
	assert_int_equal(args_count(&args, "json"), 1);
	assert_int_equal(args_count(&args, "set"), 3);
	assert_string_equal(args_value(&args, "set"), "e=f");
	assert_string_equal(args_value_at(&args, "set", 0), "a=b");
	assert_string_equal(args_value_at(&args, "set", 2), "e=f");
	assert_null(args_value_at(&args, "set", 3));
	assert_string_equal(args_value(&args, "threshold"), "0.5");
	assert_int_equal(args.operand_count, 3);
	assert_string_equal(args.operands[1], "-");
	assert_string_equal(args.operands[2], "-v");
	args_finish(&args);
}

static void test_stops_behind_the_command(void **state)
{
	const char *argv[] = {"-v", "match", "--json", NULL};
	struct args args;
	struct error err = {0};

	(void)state;
	assert_int_equal(args_init(&args, 3, argv), 0);
	assert_int_equal(args_parse(&args, 3, argv, tables, true, &err), 2);
	assert_string_equal(args.operands[0], "match");
	assert_int_equal(args.option_count, 1);
	args_finish(&args);
}

static void assert_refused(const char *expected, const char *const *argv)
{
	struct args args;
	struct error err = {0};

	assert_true(parse(&args, &err, argv) < 0);
	assert_non_null(strstr(err.text, expected));
	args_finish(&args);
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("did you mean --threshold", (const char *[]){"--treshold", "1", NULL});
	assert_refused("unknown option --frobnicate", (const char *[]){"--frobnicate", NULL});
	assert_refused("unknown option -x", (const char *[]){"-x", NULL});
	assert_refused("takes no value", (const char *[]){"--json=yes", NULL});
	assert_refused("--threshold needs a value", (const char *[]){"--threshold", NULL});
	assert_refused("-s needs a value", (const char *[]){"-vs", NULL});
	assert_refused("\\x1b", (const char *[]){"--\033[2J", NULL});
}

static void test_numbers(void **state)
{
	struct args args;
	struct error err = {0};
	double value = 7;

	(void)state;
	PARSE(&args, &err, "--threshold", "0.25");
	assert_int_equal(args_number(&args, "json", 0, 1, &value, &err), 0);
	assert_true(value == 7);
	assert_int_equal(args_number(&args, "threshold", -1, 1, &value, &err), 0);
	assert_true(value == 0.25);
	assert_true(args_number(&args, "threshold", 0.5, 1, &value, &err) < 0);
	assert_string_equal(err.text, "--threshold 0.25: must be from 0.5 to 1");
	args_finish(&args);
	PARSE(&args, &err, "--threshold", "1x");
	assert_true(args_number(&args, "threshold", -1, 1, &value, &err) < 0);
	args_finish(&args);
	PARSE(&args, &err, "--threshold", "nan");
	assert_true(args_number(&args, "threshold", -1, 1, &value, &err) < 0);
	args_finish(&args);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_spelling),
    cmocka_unit_test(test_stops_behind_the_command),
    cmocka_unit_test(test_refusals),
    cmocka_unit_test(test_numbers),
};

RUN_TESTS(tests)
