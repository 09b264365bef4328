#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/scene_key.h"
#include "run.h"

/* A folder of its own and an environment without FACEFLEET_…, for every test. */
struct fixture {
	char folder[64];
	char path[128];
	struct config *config;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clearenv();
	strcpy(f->folder, "/tmp/facefleet-config-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(chdir(f->folder), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	config_free(f->config);
	unlink("f.yaml");
	unlink("secret");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void write_file(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void load(struct fixture *f, const char *yaml, const char *set)
{
	struct config_sources sources = {.path = "f.yaml", .sets = &set, .set_count = set ? 1 : 0};
	struct error err = {0};

	write_file("f.yaml", yaml, strlen(yaml));
	if (config_load(&f->config, &sources, &err) < 0)
		fail_msg("%s", err.text);
}

static void check_refused(const char *yaml, const char *set, const char *expected)
{
	struct config_sources sources = {.path = "f.yaml", .sets = &set, .set_count = set ? 1 : 0};
	struct config *config = NULL;
	struct error err = {0};

	write_file("f.yaml", yaml, strlen(yaml));
	assert_true(config_load(&config, &sources, &err) < 0);
	assert_null(config);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	assert_string_equal(err.text, expected);
}

static void test_defaults_hold_when_nothing_is_said(void **state)
{
	struct fixture *f = *state;

	load(f, "", NULL);
	assert_string_equal(config_string(f->config, OPTION_AMQP_URL), "amqp://guest:guest@127.0.0.1:5672/");
	assert_int_equal(config_integer(f->config, OPTION_AMQP_HEARTBEAT), 15);
	assert_true(config_number(f->config, OPTION_FACE_MIN_THRESHOLD) == -1);
	assert_string_equal(config_string(f->config, OPTION_LOG_FORMAT), "auto");
	assert_string_equal(config_string(f->config, OPTION_WORKER_NAME), "");
}

static void test_each_source_overrules_those_below(void **state)
{
	struct fixture *f = *state;

	setenv("FACEFLEET_WORKER_THREADS", "2", 1);
	setenv("FACEFLEET_WORKER_PREFETCH_BATCH", "2", 1);
	load(f, "worker: {threads: 1, prefetch_batch: 1, prefetch_realtime: 1}", "worker.threads=3");
	assert_int_equal(config_integer(f->config, OPTION_WORKER_THREADS), 3);
	assert_int_equal(config_integer(f->config, OPTION_WORKER_PREFETCH_BATCH), 2);
	assert_int_equal(config_integer(f->config, OPTION_WORKER_PREFETCH_REALTIME), 1);
}

static void test_what_the_fleet_shares_stands_between_file_and_environment(void **state)
{
	struct fixture *f = *state;
	const struct config_central central[] = {
	    {"gateway.rate", "1", "central"},           {"gateway.burst", "2", "central"},
	    {"callback.timeout_ms", "3000", "central"}, {"scenes.kiosk.lane", "batch", "central"},
	    {"gateway.rate", "4", "central"},
	};
	const char *set = "callback.timeout_ms=5000";
	const struct config_sources sources = {
	    .path = "f.yaml", .sets = &set, .set_count = 1, .central = central, .central_count = array_size(central)};
	struct error err = {0};

	write_file("f.yaml", "gateway: {rate: 9, burst: 9}", 28);
	setenv("FACEFLEET_GATEWAY_BURST", "6", 1);
	if (config_load(&f->config, &sources, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(config_number(f->config, OPTION_GATEWAY_RATE) == 4);
	assert_true(config_number(f->config, OPTION_GATEWAY_BURST) == 6);
	assert_int_equal(config_integer(f->config, OPTION_CALLBACK_TIMEOUT), 5000);
	assert_non_null(scene_find_in(config_scenes(f->config), "kiosk"));
}

static void check_central(const char *key, const char *value, const char *expected)
{
	struct error err = {0};

	assert_true(config_check_central(key, value, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_string_equal(err.text, expected);
}

static void test_what_may_be_shared(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(config_check_central("log.level", "debug", &err), 0);
	assert_int_equal(config_check_central("log.level", NULL, &err), 0);
	assert_int_equal(config_check_central("worker.threads", "2", &err), 0);
	assert_int_equal(config_check_central("scenes.kiosk.retries", "2", &err), 0);
	check_central("log.level", "loud",
		      "central: log.level: expected one of debug|info|warning|error, not \"loud\"");
	check_central("log.levle", "debug", "central: log.levle: unknown key, the nearest is log.level");
	check_central("worker.name", "x",
		      "central: worker.name: cannot change without a restart, so it stays in the file");
	check_central("amqp.url", "amqp://h/", "central: amqp.url: a secret cannot be shared this way");
	check_central("amqp.url_file", "/etc/passwd", "central: amqp.url_file: a secret cannot be shared this way");
	check_central("scenes.kiosk", "x", "central: scenes.kiosk: a section, expected options below it");
}

static void test_bad_values_are_refused_where_they_stand(void **state)
{
	(void)state;
	check_refused("worker:\n  threads: many\n", NULL,
		      "f.yaml:2:12: worker.threads: expected an integer from 0 to 256 (threads), not \"many\"");
	check_refused("", "worker.threads=257",
		      "--set: worker.threads: expected an integer from 0 to 256 (threads), not \"257\"");
	setenv("FACEFLEET_LOG_LEVEL", "loud", 1);
	check_refused("", NULL,
		      "env FACEFLEET_LOG_LEVEL: log.level: expected one of debug|info|warning|error, not \"loud\"");
	/* Also when something above overrules it. */
	check_refused("", "log.level=info",
		      "env FACEFLEET_LOG_LEVEL: log.level: expected one of debug|info|warning|error, not \"loud\"");
}

static void test_secrets_come_from_files(void **state)
{
	struct fixture *f = *state;

	write_file("secret", "whsec_abc\n", 10);
	load(f, "callback: {secret_file: secret}", NULL);
	assert_string_equal(config_string(f->config, OPTION_CALLBACK_SECRET), "whsec_abc");
}

static void test_a_file_that_is_overruled_need_not_exist(void **state)
{
	struct fixture *f = *state;

	load(f, "callback: {secret_file: absent}", "callback.secret=x");
	assert_string_equal(config_string(f->config, OPTION_CALLBACK_SECRET), "x");
}

static void test_bad_secret_files_are_named(void **state)
{
	(void)state;
	check_refused("callback:\n  secret_file: absent\n", NULL,
		      "f.yaml:2:16: callback.secret_file: absent: No such file or directory");
	write_file("secret", "a\0b", 3);
	check_refused("callback: {secret_file: secret}", NULL,
		      "f.yaml:1:25: callback.secret_file: secret holds a zero byte");
	write_file("secret", "a\n\n", 3);
	check_refused(
	    "callback: {secret_file: secret}", NULL,
	    "f.yaml:1:25: callback.secret_file: expected a text of 0 to 512 bytes without control characters");
	write_file("secret", "", 0);
	check_refused("amqp: {url_file: secret}", NULL,
		      "f.yaml:1:18: amqp.url_file: expected a text of 1 to 4096 bytes without control characters");
}

static void test_the_file_is_found_by_variable(void **state)
{
	struct fixture *f = *state;
	struct config_sources sources = {0};
	struct error err = {0};

	write_file("f.yaml", "worker.threads: 9", 17);
	setenv("FACEFLEET_CONFIG", "f.yaml", 1);
	assert_int_equal(config_load(&f->config, &sources, &err), 0);
	assert_int_equal(config_integer(f->config, OPTION_WORKER_THREADS), 9);
}

static void test_a_named_file_must_exist(void **state)
{
	struct config_sources sources = {.path = "absent.yaml"};
	struct config *config = NULL;
	struct error err = {0};

	(void)state;
	assert_true(config_load(&config, &sources, &err) < 0);
	assert_string_equal(err.text, "absent.yaml: No such file or directory");
	sources.path = "/tmp";
	assert_true(config_load(&config, &sources, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
}

static void test_long_paths_leave_room_for_the_fault(void **state)
{
	char path[512] = "";
	struct config_sources sources = {.path = path};
	struct config *config = NULL;
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(path, "./");
	strcat(path, "f.yaml");
	write_file("f.yaml", "log.levle: x\n", 13);
	assert_true(config_load(&config, &sources, &err) < 0);
	assert_non_null(strstr(err.text, "./f.yaml:1:1: log.levle: unknown key, the nearest is log.level"));
}

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	config_print(config, out);
	fclose(out);
	return text;
}

static void check_line(const char *text, const char *start, const char *end)
{
	const char *line = strstr(text, start);

	if (!line)
		fail_msg("no \"%s\" in:\n%s", start, text);
	size_t length = strcspn(line, "\n");
	assert_true(length > strlen(end));
	assert_memory_equal(line + length - strlen(end), end, strlen(end));
}

static void test_print_shows_values_and_sources_but_no_secret(void **state)
{
	struct fixture *f = *state;

	setenv("FACEFLEET_AMQP_URL", "amqp://me:hunter2@h/", 1);
	load(f, "callback:\n  secret: hunter3\n  timeout_ms: 1000\n", "worker.name=a \"b\" \\c");
	char *text = print(f->config);
	check_line(text, "amqp.url: \"amqp://me:***@h/\" ", " # env FACEFLEET_AMQP_URL");
	check_line(text, "callback.secret: \"***\" ", " # f.yaml:2");
	check_line(text, "callback.timeout_ms: 1000 ", " # f.yaml:3");
	check_line(text, "worker.name: \"a \\\"b\\\" \\\\c\" ", " # --set");
	check_line(text, "log.level: info ", " # default");
	assert_null(strstr(text, "hunter"));
	size_t lines = 0;
	for (const char *c = text; *c != '\0'; c++)
		lines += *c == '\n';
	assert_int_equal(lines, OPTION_COUNT + scene_builtin.count * SCENE_FIELD_COUNT);
	free(text);
}

static void test_what_print_writes_can_be_read_again(void **state)
{
	struct fixture *f = *state;

	load(f, "", "worker.name=a \"b\" \\c: #d");
	char *text = print(f->config);
	config_free(f->config);
	f->config = NULL;
	load(f, text, NULL);
	assert_string_equal(config_string(f->config, OPTION_WORKER_NAME), "a \"b\" \\c: #d");
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_defaults_hold_when_nothing_is_said),
    TEST(test_each_source_overrules_those_below),
    TEST(test_what_the_fleet_shares_stands_between_file_and_environment),
    TEST(test_what_may_be_shared),
    TEST(test_bad_values_are_refused_where_they_stand),
    TEST(test_secrets_come_from_files),
    TEST(test_a_file_that_is_overruled_need_not_exist),
    TEST(test_bad_secret_files_are_named),
    TEST(test_the_file_is_found_by_variable),
    TEST(test_a_named_file_must_exist),
    TEST(test_long_paths_leave_room_for_the_fault),
    TEST(test_print_shows_values_and_sources_but_no_secret),
    TEST(test_what_print_writes_can_be_read_again),
};

RUN_TESTS(tests)
