/* A PostgreSQL that is not there, or not for us. */
#include "run.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "obs/breakers.h"
#include "server.h"
#include "store/people.h"
#include "store/store_private.h"

static const char *url;

static void test_server_that_ends_and_comes_back(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 10000};
	struct people_command command = {.accepted_ms = 1, .id = "00000000-0000-7000-8000-000000000001"};
	struct error err = {0};
	struct store *store;
	unsigned removed;
	uint64_t before, version;

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(people_version(store, &before, &err), 0);
	server_kill();
	assert_true(people_unenroll(store, "c", "ann", &command, &removed, &version, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_true(people_version(store, &version, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	server_start();
	if (people_version(store, &version, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(version, before);
	assert_int_equal(people_unenroll(store, "c", "ann", &command, &removed, &version, &err), 0);
	assert_int_equal(version, before + 1);
	store_close(store);
}

/* A restart between two calls costs neither of them: a task that is tried twice may meet two such connections. */
static void test_server_that_was_away_unnoticed(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 10000};
	struct people_command command = {.accepted_ms = 2, .id = "00000000-0000-7000-8000-000000000002"};
	struct error err = {0};
	struct store *store;
	unsigned removed;
	uint64_t before, version;

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(people_version(store, &before, &err), 0);
	server_kill();
	server_start();
	if (people_unenroll(store, "c", "ben", &command, &removed, &version, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(version, before + 1);
	assert_false(error_is_set(&err));
	server_kill();
	server_start();
	assert_int_equal(people_version(store, &version, &err), 0);
	assert_int_equal(version, before + 1);
	store_close(store);
}

static int note_number(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	*(int64_t *)arg = database_row_integer(row, 0);
	return 0;
}

/* A server that takes statements and never answers: its process for this connection stands still. */
static void test_server_that_does_not_answer(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 1000};
	struct error err = {0};
	struct store *store;
	uint64_t version;
	int64_t backend = 0;

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(database_read(store->database,
				       &(struct database_statement){.sql = "SELECT CAST(pg_backend_pid() AS BIGINT)",
								    .fn = note_number,
								    .arg = &backend},
				       &err),
			 0);
	assert_true(backend > 1);
	assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
	/* It is given up, and another connection does it. */
	if (people_version(store, &version, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(kill((pid_t)backend, SIGCONT), 0);
	store_close(store);
}

/* The same in the middle of a transaction: that one fails, and in time. */
static void test_server_that_stops_answering(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 1000};
	struct error err = {0};
	struct store *store;
	uint64_t version;
	int64_t backend = 0;
	const struct database_statement ask = {
	    .sql = "SELECT CAST(pg_backend_pid() AS BIGINT)", .fn = note_number, .arg = &backend};

	(void)state;
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(database_begin(store->database, true, &err), 0);
	assert_int_equal(database_run(store->database, &ask, &err), 0);
	assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
	assert_true(database_run(store->database, &ask, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_true(database_commit(store->database, &err) < 0);
	assert_int_equal(kill((pid_t)backend, SIGCONT), 0);
	error_clear(&err);
	if (people_version(store, &version, &err) < 0)
		fail_msg("%s", err.text);
	store_close(store);
}

#define PATIENCE_MS 30000

/* A program that hangs in the middle of a transaction, or whose host is gone, must not keep all others from writing. */
static void test_program_that_never_goes_on(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 200};
	struct people_command command = {.accepted_ms = 3, .id = "00000000-0000-7000-8000-000000000003"};
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct error err = {0};
	struct store *hanging;
	struct store *store;
	unsigned removed;
	uint64_t version;

	(void)state;
	assert_int_equal(store_open(&hanging, &settings, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(database_begin(hanging->database, true, &err), 0);
	assert_int_equal(
	    database_execute(hanging->database, "UPDATE people_version SET version = version", NULL, 0, &err), 0);
	while (people_unenroll(store, "c", "eve", &command, &removed, &version, &err) < 0)
		if (clock_monotonic_ms() > until_ms)
			fail_msg("%s", err.text);
	assert_true(database_commit(hanging->database, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	store_close(hanging);
	store_close(store);
}

static void test_password_is_told_nobody(void **state)
{
	char wrong[600];
	struct error err = {0};
	struct store *store = NULL;
	const struct store_settings settings = {.url = wrong};

	(void)state;
	snprintf(wrong, sizeof(wrong), "postgresql://facefleet:wrong-secret@%s", strchr(url, '@') + 1);
	assert_true(store_open(&store, &settings, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_null(strstr(err.text, "wrong-secret"));
}

static int note_text(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	snprintf(arg, 32, "%s", database_row_text(row, 0));
	return 0;
}

/* `show` is a statement that shows a limit of the transaction, which ends with it. */
static void assert_shows(struct database *database, const char *show, const char *expected)
{
	char value[32] = "";

	assert_int_equal(
	    database_run(database, &(struct database_statement){.sql = show, .fn = note_text, .arg = value}, NULL), 0);
	assert_string_equal(value, expected);
	database_rollback(database);
}

/* A caller with little time gets its answer in it, and leaves the connection to those who come after. */
static void test_caller_in_a_hurry(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 600000};
	struct error err = {0};
	struct store *store;
	int64_t backend = 0;
	uint64_t version;
	const struct database_statement ask = {
	    .sql = "SELECT CAST(pg_backend_pid() AS BIGINT)", .fn = note_number, .arg = &backend};

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(database_read(store->database, &ask, &err), 0);
	assert_int_equal(database_begin(store->database, false, &err), 0);
	store_limit(store, 50);
	/* Were it to wait as long as the settings say, so would this test. */
	assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
	assert_true(database_run(store->database, &ask, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(kill((pid_t)backend, SIGCONT), 0);
	database_rollback(store->database);
	store_limit(store, 600000);
	if (people_version(store, &version, &err) < 0)
		fail_msg("%s", err.text);
	store_close(store);
}

static int wait_until(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	while (clock_monotonic_ms() <= *(const int64_t *)arg)
		;
	return 0;
}

/* What still comes of an answer that nobody waits for any more is not in the way of those who come after. */
static void test_answer_that_is_given_up(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 600000};
	struct error err = {0};
	struct store *store;
	uint64_t version;
	int64_t until_ms;
	/* More than both ends keep for each other. */
	const struct database_statement ask = {
	    .sql = "SELECT repeat('x', 100000) FROM generate_series(1, 300)", .fn = wait_until, .arg = &until_ms};

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	for (int i = 0; i < 2; i++) {
		store_limit(store, 50);
		until_ms = clock_monotonic_ms() + 51;
		assert_true(database_read(store->database, &ask, &err) < 0);
		assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
		store_limit(store, 600000);
		if (people_version(store, &version, &err) < 0)
			fail_msg("%s", err.text);
	}
	store_close(store);
}

/* Whose time is over has no use for the answer: the statement is not run again over another connection. */
static void test_time_that_is_over(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 600000};
	struct error err = {0};
	struct store *store;
	int64_t runs = 0;
	const struct database_statement ask = {.sql = "SELECT nextval('runs'), pg_sleep(600)"};
	const struct database_statement count = {.sql = "SELECT last_value FROM runs", .fn = note_number, .arg = &runs};

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	assert_int_equal(database_execute(store->database, "CREATE SEQUENCE runs", NULL, 0, &err), 0);
	store_limit(store, 500);
	assert_true(database_read(store->database, &ask, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	store_limit(store, 600000);
	assert_int_equal(database_read(store->database, &count, &err), 0);
	assert_int_equal(runs, 1);
	store_close(store);
}

/* A server that takes connections and says nothing: a caller in a hurry does not wait for it as long as the settings
 * say (or this test would), and says nothing of it to the others. */
static void test_opening_in_a_hurry(void **state)
{
	static const struct breaker_settings breaker = {
	    .window_ms = 60000, .least = 1, .share = 0.1, .open_ms = 600000};
	struct metrics *metrics = metrics_new();
	struct breakers *breakers = breakers_new("store", &breaker, 1, metrics);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct error err = {0};
	struct store *store;
	char silent[64];

	(void)state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(silent, sizeof(silent), "postgresql://nobody@127.0.0.1:%d/none", ntohs(address.sin_port));
	const struct store_settings settings = {.url = silent, .timeout_ms = 600000, .breakers = breakers};
	assert_true(store_open_within(&store, &settings, 50, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_true(breakers_allow(breakers, NULL, "store"));
	close(fd);
	breakers_free(breakers);
	metrics_free(metrics);
}

/* A server that is down is found out by a few calls; the others are told so without asking it, until one finds it well.
 */
static void test_server_that_keeps_failing(void **state)
{
	static const struct breaker_settings breaker = {.window_ms = 60000, .least = 3, .share = 0.7, .open_ms = 100};
	struct metrics *metrics = metrics_new();
	struct breakers *breakers = breakers_new("store", &breaker, 1, metrics);
	const struct store_settings migration = {.url = url, .timeout_ms = 10000};
	const struct store_settings settings = {.url = url, .timeout_ms = 10000, .breakers = breakers};
	struct error err = {0};
	struct store *store;
	uint64_t version;
	bool told = false;

	(void)state;
	assert_int_equal(store_migrate(&migration, NULL, NULL, &err), 0);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	server_kill();
	/* Not always the last of so many: after a while one of them tries again. */
	for (int i = 0; i < 20 && !told; i++) {
		assert_true(people_version(store, &version, &err) < 0);
		assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
		told = strstr(err.text, "not asked");
	}
	assert_true(told);
	server_start();
	while (people_version(store, &version, &err) < 0)
		assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	store_close(store);
	breakers_free(breakers);
	metrics_free(metrics);
}

/* What reads everything may take longer than a statement of a job, and nothing else may. */
static void test_bulk_may_take_longer(void **state)
{
	struct database *database;
	struct error err = {0};

	(void)state;
	assert_int_equal(database_open(&database, &(struct database_opening){.url = url, .timeout_ms = 1500}, &err), 0);
	assert_int_equal(database_begin_bulk(database, &err), 0);
	assert_shows(database, "SHOW statement_timeout", "90s");
	assert_int_equal(database_begin(database, false, &err), 0);
	assert_shows(database, "SHOW statement_timeout", "1500ms");
	database_close(database);
}

/* Tables may be large: a step of a migration is no statement of a job. */
static void test_migration_may_take_longer(void **state)
{
	static const char *const statements[] = {
	    "CREATE TABLE schema_version (version BIGINT NOT NULL)",
	    ("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
	     " 'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END'"),
	    "CREATE TRIGGER dawdle BEFORE INSERT ON schema_version FOR EACH ROW EXECUTE FUNCTION dawdle()",
	};
	const struct store_settings settings = {.url = server_new_database(), .timeout_ms = 200};
	struct database *database;
	struct error err = {0};

	(void)state;
	assert_int_equal(
	    database_open(&database, &(struct database_opening){.url = settings.url, .timeout_ms = 10000}, &err), 0);
	for (size_t i = 0; i < array_size(statements); i++)
		assert_int_equal(database_execute(database, statements[i], NULL, 0, &err), 0);
	database_close(database);
	if (store_migrate(&settings, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_opened_during_a_migration(void **state)
{
	const struct store_settings settings = {.url = url, .timeout_ms = 1000};
	struct database *database;
	struct error err = {0};
	struct store *store;

	(void)state;
	assert_int_equal(store_migrate(&settings, NULL, NULL, &err), 0);
	assert_int_equal(database_open(&database, &(struct database_opening){.url = url, .timeout_ms = 10000}, &err),
			 0);
	assert_int_equal(database_begin(database, true, &err), 0);
	assert_int_equal(database->ops->lock_schema(database, &err), 0);
	assert_true(store_open(&store, &settings, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_non_null(strstr(err.text, "store migrate"));
	database_close(database);
	assert_int_equal(store_open(&store, &settings, &err), 0);
	store_close(store);
}

/* An export may wait for its reader between two pages; it holds no lock. */
static void test_who_reads_may_pause(void **state)
{
	static const char show[] = "SHOW idle_in_transaction_session_timeout";
	struct database *database;
	struct error err = {0};

	(void)state;
	assert_int_equal(database_open(&database, &(struct database_opening){.url = url, .timeout_ms = 1000}, &err), 0);
	assert_int_equal(database_begin(database, false, &err), 0);
	assert_shows(database, show, "0");
	assert_int_equal(database_begin_bulk(database, &err), 0);
	assert_shows(database, show, "0");
	assert_int_equal(database_begin(database, true, &err), 0);
	assert_shows(database, show, "5s");
	database_close(database);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_answer_that_is_given_up),
    cmocka_unit_test(test_bulk_may_take_longer),
    cmocka_unit_test(test_caller_in_a_hurry),
    cmocka_unit_test(test_migration_may_take_longer),
    cmocka_unit_test(test_opened_during_a_migration),
    cmocka_unit_test(test_opening_in_a_hurry),
    cmocka_unit_test(test_password_is_told_nobody),
    cmocka_unit_test(test_program_that_never_goes_on),
    cmocka_unit_test(test_server_that_does_not_answer),
    cmocka_unit_test(test_server_that_ends_and_comes_back),
    cmocka_unit_test(test_server_that_keeps_failing),
    cmocka_unit_test(test_server_that_stops_answering),
    cmocka_unit_test(test_server_that_was_away_unnoticed),
    cmocka_unit_test(test_time_that_is_over),
    cmocka_unit_test(test_who_reads_may_pause),
};

int main(void)
{
	char name[600];

	snprintf(name, sizeof(name), "%s", server_new_database()); /* of which there may be another */
	url = name;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
