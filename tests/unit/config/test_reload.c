/* What is said now against what holds. */

#include "config/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

struct fixture {
	char folder[64];
	struct config *before;
	struct config *after;
	struct error err;
	char heard[1024]; /* "key before after source" of each change, * before what needs a restart, ~ before what
			     renews */
};

static const struct config_sources sources = {.path = "f.yaml"};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	clearenv();
	strcpy(f->folder, "/tmp/facefleet-reload-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(chdir(f->folder), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	config_free(f->before);
	config_free(f->after);
	unlink("f.yaml");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static void write_file(const char *text)
{
	FILE *file = fopen("f.yaml", "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void hear(void *arg, const struct config_change *change)
{
	static const char *const marks[] = {[OPTION_RESTARTS] = "*", [OPTION_RENEWS] = "~", [OPTION_HOT] = ""};
	struct fixture *f = arg;
	size_t length = strlen(f->heard);

	snprintf(f->heard + length, sizeof(f->heard) - length, "%s%s %s %s %s\n", marks[change->change], change->key,
		 change->before ? change->before : "-", change->after ? change->after : "-", change->source);
}

static int load(struct fixture *f, const char *before, const char *after)
{
	write_file(before);
	if (config_load(&f->before, &sources, &f->err) < 0)
		fail_msg("%s", f->err.text);
	write_file(after);
	if (config_load(&f->after, &sources, &f->err) < 0)
		return -1;
	config_compare(f->before, f->after, hear, f);
	return config_keep(f->after, f->before, &f->err);
}

static void check(struct fixture *f, const char *before, const char *after, const char *heard)
{
	if (load(f, before, after) < 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->heard, heard);
}

static void test_what_is_hot_changes(void **state)
{
	struct fixture *f = *state;

	check(f, "log.level: info\nface.min_threshold: 0.3\n", "log.level: debug\n",
	      "log.level info debug f.yaml:1\nface.min_threshold 0.3 -1 default\n");
	assert_string_equal(config_string(f->after, OPTION_LOG_LEVEL), "debug");
	assert_true(config_number(f->after, OPTION_FACE_MIN_THRESHOLD) == -1);
	assert_string_equal(config_string(f->before, OPTION_LOG_LEVEL), "info");
}

static void test_the_rest_is_said_and_left(void **state)
{
	struct fixture *f = *state;

	check(f, "worker.name: one\n", "worker.name: two\ngateway.rate: 5\n",
	      "*worker.name one two f.yaml:1\ngateway.rate 0 5 f.yaml:2\n");
	assert_string_equal(config_string(f->after, OPTION_WORKER_NAME), "one");
	assert_true(config_number(f->after, OPTION_GATEWAY_RATE) == 5);
}

static void test_what_renews_is_said_so_and_taken(void **state)
{
	struct fixture *f = *state;

	check(f, "worker.threads: 1\n", "worker.threads: 2\nmodel.embedder: /m\n",
	      "~model.embedder  /m f.yaml:2\n~worker.threads 1 2 f.yaml:1\n");
	assert_int_equal(config_integer(f->after, OPTION_WORKER_THREADS), 2);
}

static void test_secrets_are_not_told(void **state)
{
	struct fixture *f = *state;

	check(f, "callback.secret: hunter2\n", "callback.secret: hunter3\n", "*callback.secret - - f.yaml:1\n");
	assert_string_equal(config_string(f->after, OPTION_CALLBACK_SECRET), "hunter2");
}

static void test_nothing_new(void **state)
{
	check(*state, "gateway.rate: 5\n", "# moved\ngateway: {rate: 5}\n", "");
}

static void test_scenes_come_change_and_go(void **state)
{
	struct fixture *f = *state;

	check(f, "scenes: {old: {lane: batch}, realtime: {deadline_ms: 500}}",
	      "scenes: {realtime: {deadline_ms: 600}, new: {lane: realtime}}",
	      "scenes.realtime.deadline_ms 500 600 f.yaml:1\n"
	      "scenes.new.lane - realtime f.yaml:1\n"
	      "scenes.new.deadline_ms - 300 default\n"
	      "scenes.new.attempt_ms - 0 default\n"
	      "scenes.new.retries - 0 default\n"
	      "scenes.new.backoff_ms - 1000 default\n"
	      "scenes.old - - nowhere\n");
	assert_non_null(scene_find_in(config_scenes(f->after), "new"));
	assert_null(scene_find_in(config_scenes(f->after), "old"));
}

static void test_a_fault_refuses_everything(void **state)
{
	struct fixture *f = *state;

	assert_true(load(f, "", "log.level: debug\ngateway:\n  rate: many\n") < 0);
	assert_null(f->after);
	assert_string_equal(f->heard, "");
	assert_string_equal(f->err.text, "f.yaml:3:9: gateway.rate: expected a number from 0 to 1000000 (requests/s), "
					 "not \"many\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_what_is_hot_changes),
    TEST(test_the_rest_is_said_and_left),
    TEST(test_what_renews_is_said_so_and_taken),
    TEST(test_secrets_are_not_told),
    TEST(test_nothing_new),
    TEST(test_scenes_come_change_and_go),
    TEST(test_a_fault_refuses_everything),
};

RUN_TESTS(tests)
