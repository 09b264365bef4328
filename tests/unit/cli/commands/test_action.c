#include "run.h"

#include "cli/commands/action.h"

static const struct arg_option options[] = {{"json", 'j', NULL, "x"}, {"out", 'o', "FILE", "x"}, {0}};
static const struct arg_option shared[] = {{"scene", 's', "NAME", "x"}, {0}};
static const struct command command = {.name = "things", .options = {options, shared}};
static const struct action actions[] = {
    {"list", NULL, 0, 0, {"json"}},
    {"drop", NULL, 1, 2, {0}},
    {"add", NULL, 0, 0, {0}, .has_shared = true},
};

/* The action's name for a command line, "" when it is refused. */
static const char *chosen(int argc, const char *const *argv)
{
	const struct arg_option *tables[] = {options, shared, NULL};
	struct error err = {0};
	struct args args;

	assert_int_equal(args_init(&args, argc, argv), 0);
	assert_true(args_parse(&args, argc, argv, tables, false, &err) >= 0);
	const struct cli cli = {.args = &args};
	const struct action *action = action_of(&command, &cli, actions, array_size(actions));
	if (action == &actions[1])
		assert_string_equal(action_operand(&cli, 1), "a");
	assert_null(action_operand(&cli, 7));
	args_finish(&args);
	return action ? action->name : "";
}

#define CHOSEN(...) chosen((int)array_size(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__})

static void test_actions(void **state)
{
	(void)state;
	assert_string_equal(chosen(0, NULL), "list");
	assert_string_equal(CHOSEN("list"), "list");
	assert_string_equal(CHOSEN("list", "--json"), "list");
	assert_string_equal(CHOSEN("--json"), "list");
	assert_string_equal(CHOSEN("drop", "a"), "drop");
	assert_string_equal(CHOSEN("drop", "a", "b"), "drop");
	assert_string_equal(CHOSEN("add", "--scene", "gate"), "add");
}

static void test_refusals(void **state)
{
	(void)state;
	assert_string_equal(CHOSEN("list", "a"), "");
	assert_string_equal(CHOSEN("drop"), "");
	assert_string_equal(CHOSEN("drop", "a", "b", "c"), "");
	assert_string_equal(CHOSEN("lists"), "");
	assert_string_equal(CHOSEN("drop", "a", "--json"), "");
	assert_string_equal(CHOSEN("list", "--out", "f"), "");
	assert_string_equal(CHOSEN("list", "--scene", "gate"), "");
	assert_string_equal(CHOSEN("add", "--json"), "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_actions),
    cmocka_unit_test(test_refusals),
};

RUN_TESTS(tests)
