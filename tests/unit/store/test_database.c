/* What the circuit breaker hears of a database. */
#include "../run.h"

#include <unistd.h>

#include "files.h"
#include "obs/breakers.h"
#include "obs/metrics.h"
#include "store/people.h"
#include "store/store_private.h"

#define NAME "store"

static struct store_files files;
static struct metrics *metrics;
static struct breakers *breakers;
static struct store *store;

static void open_with(const struct breaker_settings *settings, int64_t timeout_ms)
{
	struct error err = {0};

	breakers = breakers_new(NAME, settings, 1, metrics);
	assert_non_null(breakers);
	const struct store_settings to = {.url = files.urls[0], .timeout_ms = timeout_ms, .breakers = breakers};
	if (store_open(&store, &to, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	const struct store_settings plain = {.url = files.urls[0], .timeout_ms = 20000};
	metrics = metrics_new();
	return store_migrate(&plain, NULL, NULL, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	breakers_free(breakers);
	metrics_free(metrics);
	store_files_finish(&files);
	return 0;
}

/* Who is refused ends a transaction that never began: that says nothing, and frees nobody else's turn. */
static void test_one_tries_while_others_are_refused(void **state)
{
	static const struct breaker_settings settings = {.window_ms = 60000, .least = 2, .share = 0.5, .open_ms = 1000};
	const struct people_command command = {.accepted_ms = 1, .id = "x"};
	struct error err = {0};
	unsigned removed;
	uint64_t version;

	(void)state;
	open_with(&settings, 20000);
	unsigned ticket = breakers_allow(breakers, NULL, NAME);
	breakers_report(breakers, NULL, NAME, ticket, false);
	breakers_report(breakers, NULL, NAME, ticket, false);
	while (!(ticket = breakers_allow(breakers, NULL, NAME)))
		usleep(1000);
	assert_true(people_unenroll(store, "c", "ann", &command, &removed, &version, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_false(breakers_allow(breakers, NULL, NAME));
	breakers_report(breakers, NULL, NAME, ticket, true);
	assert_int_equal(people_unenroll(store, "c", "ann", &command, &removed, &version, &err), 0);
}

static void test_a_failure_counts_once(void **state)
{
	/* Opening it is one outcome. */
	static const struct breaker_settings settings = {
	    .window_ms = 60000, .least = 3, .share = 0.5, .open_ms = 60000};
	const struct database_opening opening = {.url = files.urls[0], .timeout_ms = 20000};
	struct database *other;
	struct error err = {0};

	(void)state;
	open_with(&settings, 1);
	assert_int_equal(database_open(&other, &opening, &err), 0);
	assert_int_equal(database_begin(other, true, &err), 0);
	assert_true(database_begin(store->database, true, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_true(breakers_allow(breakers, NULL, NAME));
	database_close(other);
}

static void test_a_failure_that_nobody_asks_about_counts(void **state)
{
	static const struct breaker_settings settings = {
	    .window_ms = 60000, .least = 2, .share = 0.5, .open_ms = 60000};
	const struct database_opening opening = {.url = files.urls[0], .timeout_ms = 20000};
	struct database *other;

	(void)state;
	open_with(&settings, 1);
	assert_int_equal(database_open(&other, &opening, NULL), 0);
	assert_int_equal(database_begin(other, true, NULL), 0);
	assert_true(database_begin(store->database, true, NULL) < 0);
	assert_true(database_begin(store->database, true, NULL) < 0);
	assert_false(breakers_allow(breakers, NULL, NAME));
	database_close(other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_one_tries_while_others_are_refused),
    CASE(test_a_failure_counts_once),
    CASE(test_a_failure_that_nobody_asks_about_counts),
};

RUN_TESTS(tests)
