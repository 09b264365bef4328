#include "config/settings.h"

#include <string.h>

#include "run.h"

static void check_last(const struct settings *s, enum option_id option, bool is_path, const char *value,
		       const char *place)
{
	assert_true(s->count > 0);
	const struct setting *last = &s->items[s->count - 1];
	assert_ptr_equal(last->row, &option_table[option]);
	assert_string_equal(last->key, option_table[option].key);
	assert_int_equal(last->is_path, is_path);
	assert_string_equal(last->value, value);
	assert_string_equal(last->place, place);
}

static int add_yaml(struct settings *s, const char *text, struct error *err)
{
	return settings_add_yaml(s, "f.yaml", (const uint8_t *)text, strlen(text), err);
}

static int add_environment(struct settings *s, const char *variable, struct error *err)
{
	char *const environment[] = {(char *)"PATH=/bin", (char *)variable, (char *)"odd", NULL};

	return settings_add_environment(s, environment, err);
}

static void test_every_source_finds_options(void **state)
{
	struct settings s = {0};
	struct error err;

	(void)state;
	assert_int_equal(add_yaml(&s, "log:\n  level: debug\n", &err), 0);
	check_last(&s, OPTION_LOG_LEVEL, false, "debug", "f.yaml:2");
	assert_int_equal(s.items[0].column, 10);
	assert_int_equal(add_yaml(&s, "amqp: {url_file: /run/x}", &err), 0);
	check_last(&s, OPTION_AMQP_URL, true, "/run/x", "f.yaml:1");
	assert_int_equal(add_environment(&s, "FACEFLEET_WORKER_PREFETCH_BATCH=7", &err), 0);
	check_last(&s, OPTION_WORKER_PREFETCH_BATCH, false, "7", "env FACEFLEET_WORKER_PREFETCH_BATCH");
	assert_int_equal(add_environment(&s, "FACEFLEET_CALLBACK_SECRET_FILE=/run/y", &err), 0);
	check_last(&s, OPTION_CALLBACK_SECRET, true, "/run/y", "env FACEFLEET_CALLBACK_SECRET_FILE");
	assert_int_equal(add_environment(&s, "FACEFLEET_AMQP_CA_FILE=ca", &err), 0);
	check_last(&s, OPTION_AMQP_CA_FILE, false, "ca", "env FACEFLEET_AMQP_CA_FILE");
	const char *const sets[] = {"amqp.url=amqp://h/?a=b", "amqp.url=x", "callback.secret_file=/run/z"};
	assert_int_equal(settings_add_sets(&s, sets, 3, &err), 0);
	check_last(&s, OPTION_CALLBACK_SECRET, true, "/run/z", "--set");
	assert_string_equal(s.items[s.count - 3].value, "amqp://h/?a=b");
	settings_finish(&s);
}

static void test_sections_may_be_empty(void **state)
{
	struct settings s = {0};
	struct error err;

	(void)state;
	assert_int_equal(add_yaml(&s, "amqp:\nlog: {}\nworker: ~\n", &err), 0);
	assert_int_equal(s.count, 0);
}

static void test_other_variables_are_left_alone(void **state)
{
	static const char *const variables[] = {"FACEFLEET_CONFIG=x", "FACEFLEET_HOME=x", "FACEFLEET_TEST_BROKER=x",
						"FACEFLEET=x", "XFACEFLEET_AMQP_URL=x"};
	struct settings s = {0};
	struct error err;

	(void)state;
	for (size_t i = 0; i < array_size(variables); i++)
		assert_int_equal(add_environment(&s, variables[i], &err), 0);
	assert_int_equal(s.count, 0);
}

/* One of the three sources is asked; the others are NULL. */
static void check_refused(const char *yaml, const char *variable, const char *set, const char *expected)
{
	struct settings s = {0};
	struct error err = {0};
	int r = yaml       ? add_yaml(&s, yaml, &err)
		: variable ? add_environment(&s, variable, &err)
			   : settings_add_sets(&s, &set, 1, &err);

	assert_true(r < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal(err.text, expected);
	settings_finish(&s);
}

static void test_unknown_names_are_refused_with_the_nearest(void **state)
{
	(void)state;
	check_refused("worker:\n  thread: 1\n", NULL, NULL,
		      "f.yaml:2:3: worker.thread: unknown key, the nearest is worker.threads");
	check_refused("workers: 1\n", NULL, NULL, "f.yaml:1:1: workers: unknown key, the nearest is worker.threads");
	check_refused("worker: 1\n", NULL, NULL, "f.yaml:1:9: worker: a section, expected options below it");
	check_refused("worker: {threads: {x: 1}}\n", NULL, NULL,
		      "f.yaml:1:20: worker.threads.x: unknown key, the nearest is worker.threads");
	check_refused("log.level_file: x\n", NULL, NULL,
		      "f.yaml:1:1: log.level_file: unknown key, the nearest is log.level");
	check_refused("log.level:\n", NULL, NULL, "f.yaml:1:11: log.level: no value (\"\" is the empty text)");
	check_refused(NULL, "FACEFLEET_AMQP_URI=x", NULL,
		      "env FACEFLEET_AMQP_URI: names no option, the nearest is FACEFLEET_AMQP_URL");
	check_refused(NULL, "FACEFLEET_LOG_LEVEL_FILE=x", NULL,
		      "env FACEFLEET_LOG_LEVEL_FILE: names no option, the nearest is FACEFLEET_LOG_LEVEL");
	check_refused(NULL, NULL, "log.levels=x", "--set: log.levels: unknown key, the nearest is log.level");
	check_refused(NULL, NULL, "log.level", "--set log.level: expected KEY=VALUE");
	check_refused(NULL, NULL, "=x", "--set: : unknown key, the nearest is amqp.url");
}

static void test_value_and_file_in_one_source_are_refused(void **state)
{
	struct settings s = {0};
	struct error err;
	char *const environment[] = {(char *)"FACEFLEET_AMQP_URL_FILE=f", (char *)"FACEFLEET_AMQP_URL=u", NULL};
	const char *const sets[] = {"amqp.url=u", "amqp.url_file=f"};

	(void)state;
	check_refused("amqp:\n  url: u\n  url_file: f\n", NULL, NULL,
		      "f.yaml:3:13: amqp.url_file: given besides amqp.url in f.yaml:2; keep one");
	assert_true(settings_add_environment(&s, environment, &err) < 0);
	assert_string_equal(err.text, "env FACEFLEET_AMQP_URL: amqp.url: given besides amqp.url_file in env "
				      "FACEFLEET_AMQP_URL_FILE; keep one");
	settings_finish(&s);
	assert_true(settings_add_sets(&s, sets, 2, &err) < 0);
	assert_string_equal(err.text, "--set: amqp.url_file: given besides amqp.url in --set; keep one");
	settings_finish(&s);
	/* A source above may choose the other form. */
	assert_int_equal(add_yaml(&s, "amqp.url: u", &err), 0);
	assert_int_equal(add_environment(&s, "FACEFLEET_AMQP_URL_FILE=f", &err), 0);
	settings_finish(&s);
}

static void test_variable_names(void **state)
{
	char name[SETTINGS_NAME_SIZE];

	(void)state;
	settings_environment_name("amqp.ca-file_x", name);
	assert_string_equal(name, "FACEFLEET_AMQP_CA_FILE_X");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_source_finds_options),
    cmocka_unit_test(test_sections_may_be_empty),
    cmocka_unit_test(test_other_variables_are_left_alone),
    cmocka_unit_test(test_unknown_names_are_refused_with_the_nearest),
    cmocka_unit_test(test_value_and_file_in_one_source_are_refused),
    cmocka_unit_test(test_variable_names),
};

RUN_TESTS(tests)
