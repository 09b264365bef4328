#include "../run.h"

#include <stdio.h>
#include <string.h>

#include "central_cases.h"
#include "store/central.h"
#include "store/store_private.h"

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	if (store_migrate(&settings, NULL, NULL, NULL) < 0 || store_open(&store, &settings, NULL) < 0 ||
	    database_execute(store->database, "DELETE FROM settings", NULL, 0, NULL) < 0 ||
	    database_execute(store->database, "DELETE FROM settings_log", NULL, 0, NULL) < 0)
		return -1;
	return database_execute(store->database, "UPDATE settings_version SET version = 0", NULL, 0, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

/* Writes one setting, and checks how many changes that was and which revision it made. */
static void write_one(const char *program, const char *key, const char *value, unsigned changes, uint64_t revision)
{
	const struct central_setting s = {.program = program, .key = key, .value = value};
	struct error err = {0};
	uint64_t newest = 99;
	unsigned changed = 99;

	assert_int_equal(central_revision(store, &newest, &err), 0);
	if (central_write(store, &s, 1, "me@here", 1234, &newest, &changed, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(changed, changes);
	assert_int_equal(newest, revision);
	assert_int_equal(central_revision(store, &newest, &err), 0);
	assert_int_equal(newest, revision);
}

static int add_setting(void *arg, const struct central_setting *s, struct error *err)
{
	char *text = arg;

	(void)err;
	sprintf(text + strlen(text), "%s/%s=%s@%d ", s->program, s->key, s->value ? s->value : "-", (int)s->revision);
	return 0;
}

static void check_list(const char *expected)
{
	char text[1000] = "";

	assert_int_equal(central_list(store, add_setting, text, NULL), 0);
	assert_string_equal(text, expected);
}

static void check_undo(uint64_t revision, const char *expected)
{
	char text[1000] = "";

	assert_int_equal(central_undo(store, revision, add_setting, text, NULL), 0);
	assert_string_equal(text, expected);
}

static int add_change(void *arg, const struct central_change *c, struct error *err)
{
	char *text = arg;

	(void)err;
	assert_string_equal(c->who, "me@here");
	assert_int_equal(c->at_ms, 1234);
	sprintf(text + strlen(text), "%d %s/%s %s>%s, ", (int)c->revision, c->program, c->key,
		c->before ? c->before : "-", c->after ? c->after : "-");
	return 0;
}

static void test_an_empty_store(void **state)
{
	uint64_t revision = 99;

	(void)state;
	assert_int_equal(central_revision(store, &revision, NULL), 0);
	assert_int_equal(revision, 0);
	check_list("");
	check_undo(0, "");
}

static void test_set_change_and_unset(void **state)
{
	char history[1000] = "";

	(void)state;
	write_one("", "log.level", "debug", 1, 1);
	write_one("worker", "log.level", "error", 1, 2);
	write_one("", "log.level", "debug", 0, 2);
	write_one("", "log.level", "", 1, 3);
	check_list("/log.level=@3 worker/log.level=error@2 ");
	write_one("worker", "log.level", NULL, 1, 4);
	write_one("worker", "log.level", NULL, 0, 4);
	check_list("/log.level=@3 ");
	assert_int_equal(central_history(store, 3, add_change, history, NULL), 0);
	assert_string_equal(history, "4 worker/log.level error>-, 3 /log.level debug>, 2 worker/log.level ->error, ");
}

static void test_undo_says_what_there_was(void **state)
{
	(void)state;
	write_one("", "a", "1", 1, 1);
	write_one("", "b", "1", 1, 2);
	write_one("", "a", "2", 1, 3);
	write_one("", "a", NULL, 1, 4);
	check_undo(4, "");
	check_undo(3, "/a=2@0 ");
	check_undo(2, "/a=1@0 ");
	check_undo(1, "/b=-@0 /a=1@0 ");
	check_undo(0, "/a=-@0 /b=-@0 ");
}

static void test_all_or_none(void **state)
{
	const struct central_setting good = {.program = "", .key = "a", .value = "2"};
	uint64_t revision = 1;
	unsigned changed;
	struct central_setting many[CENTRAL_MAX + 1];
	char keys[CENTRAL_MAX + 1][16];
	struct error err = {0};

	(void)state;
	write_one("", "a", "1", 1, 1);
	for (int i = 0; i <= CENTRAL_MAX; i++) {
		sprintf(keys[i], "k%d", i);
		many[i] = (struct central_setting){.program = "", .key = keys[i], .value = "1"};
	}
	assert_true(central_write(store, many, CENTRAL_MAX + 1, "me@here", 1234, &revision, &changed, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	check_list("/a=1@1 ");
	assert_int_equal(central_write(store, &good, 1, "me@here", 1234, &revision, &changed, &err), 0);
	assert_int_equal(revision, 2);
}

/* Each was looked at for itself; nobody has looked at both. */
static void test_of_two_at_once_one_is_refused(void **state)
{
	const struct central_setting mine = {.program = "", .key = "a", .value = "1"};
	struct error err = {0};
	uint64_t seen = 0;
	unsigned changed;

	(void)state;
	write_one("", "b", "1", 1, 1);
	assert_true(central_write(store, &mine, 1, "me@here", 1234, &seen, &changed, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	check_list("/b=1@1 ");
	seen = 1;
	assert_int_equal(central_write(store, &mine, 1, "me@here", 1234, &seen, &changed, &err), 0);
	assert_int_equal(seen, 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int central_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_an_empty_store), CASE(test_set_change_and_unset),          CASE(test_undo_says_what_there_was),
	    CASE(test_all_or_none),    CASE(test_of_two_at_once_one_is_refused),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
