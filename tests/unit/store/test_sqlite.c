/* What is peculiar to files: how they are opened, several processes, and columns of any type. */
#include "../run.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "store/collections.h"
#include "store/keys.h"
#include "store/migrations.h"
#include "store/store_private.h"

static struct store_files files;
static struct store_settings settings;

static int set_up(void **state)
{
	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings = (struct store_settings){.url = files.urls[0], .timeout_ms = 20000};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_files_finish(&files);
	return 0;
}

static struct store *open_store(void)
{
	struct store *store = NULL;
	struct error err = {0};

	if (store_migrate(&settings, NULL, NULL, &err) < 0 || store_open(&store, &settings, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

static int note_text(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	snprintf(arg, 32, "%s", database_row_text(row, 0));
	return 0;
}

static void assert_value(struct store *store, const char *sql, const char *expected)
{
	char value[32] = "";

	assert_int_equal(database_run(store->database,
				      &(struct database_statement){.sql = sql, .fn = note_text, .arg = value}, NULL),
			 0);
	assert_string_equal(value, expected);
}

static void test_is_opened_for_several_processes(void **state)
{
	struct store *store;

	(void)state;
	settings.timeout_ms = 1234;
	store = open_store();
	assert_value(store, "PRAGMA journal_mode", "wal");
	assert_value(store, "PRAGMA foreign_keys", "1");
	assert_value(store, "PRAGMA synchronous", "2");
	assert_value(store, "PRAGMA busy_timeout", "1234");
	store_close(store);
}

static int enroll(struct store *store, const char *user, unsigned number, struct error *err)
{
	static const float vector[] = {1, 0};
	char id[UUID_SIZE];
	enum people_outcome outcome;
	uint64_t version;

	snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", number);
	const struct people_enrolment e = {"c", user, {1000 + number, id}, "model", vector, 2, NULL, 0};
	int r = people_enroll(store, &e, &outcome, &version, err);
	return r < 0 ? r : outcome == PEOPLE_STORED ? 0 : -1;
}

static void test_nobody_else_may_read_it(void **state)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	struct store *store = open_store();
	char path[160];
	struct stat about;

	(void)state;
	for (unsigned i = 0; i < array_size(endings); i++) {
		snprintf(path, sizeof(path), "%s%s", files.urls[0] + strlen("sqlite:"), endings[i]);
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 0777, 0600);
	}
	store_close(store);
}

/* ON DELETE CASCADE is nothing without the pragma. */
static void test_embeddings_go_with_their_image(void **state)
{
	struct store *store = open_store();
	const struct people_command command = {.accepted_ms = 5000, .id = "x"};
	unsigned removed;
	uint64_t version;

	(void)state;
	assert_int_equal(enroll(store, "ann", 1, NULL), 0);
	assert_int_equal(people_unenroll(store, "c", "ann", &command, &removed, &version, NULL), 0);
	assert_int_equal(removed, 1);
	assert_value(store, "SELECT COUNT(*) FROM embeddings", "0");
	store_close(store);
}

/* Everything from an empty file on. */
static int live(unsigned number)
{
	char user[16];
	struct error err = {0};
	struct store *store;
	int r = store_migrate(&settings, NULL, NULL, &err);

	if (r == 0)
		r = store_open(&store, &settings, &err);
	snprintf(user, sizeof(user), "user-%u", number);
	for (unsigned i = 0; r == 0 && i < 10; i++)
		r = enroll(store, user, 100 * number + i, &err);
	if (r < 0)
		fprintf(stderr, "process %u: %s\n", number, err.text);
	else
		store_close(store);
	return r < 0;
}

static void test_several_processes(void **state)
{
	pid_t children[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			_exit(live(i));
	}
	for (unsigned i = 0; i < 4; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	struct store *store = open_store();
	assert_value(store, "SELECT version FROM people_version", "40");
	assert_value(store, "SELECT COUNT(*) FROM images", "40");
	store_close(store);
}

static void test_busy_is_an_error_that_passes(void **state)
{
	struct store *store = open_store();
	struct store *other;
	struct error err = {0};
	uint64_t version;

	(void)state;
	settings.timeout_ms = 10;
	assert_int_equal(store_open(&other, &settings, &err), 0);
	assert_int_equal(database_begin(store->database, true, &err), 0);
	assert_true(enroll(other, "ann", 1, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	assert_int_equal(people_version(other, &version, NULL), 0); /* readers go on */
	database_rollback(store->database);
	assert_int_equal(enroll(other, "ann", 1, &err), 0);
	store_close(store);
	store_close(other);
}

static int count_image(void *arg, const struct collection_image *image, struct error *err)
{
	(void)err;
	assert_int_equal(strlen(image->image_id), UUID_SIZE - 1);
	++*(unsigned *)arg;
	return 0;
}

/* A column takes any value: bytes for text, text with a zero in it. Reading gets past it, in pages of one. */
static void test_names_of_another_type(void **state)
{
	static const char *const hostile[] = {
	    "INSERT INTO persons (collection, user_id, version) VALUES ('c', x'616263', -1), ('c', 'b' || x'00' || "
	    "'c', -2),"
	    " ('c', x'616264', -3), (x'ff00ff', 'ann', -4), ('c', CAST(x'62ff' AS TEXT), -5)",
	    "INSERT INTO images SELECT collection, user_id, x'6162', 'soon', 'a text' FROM persons WHERE version < 0",
	    "INSERT INTO embeddings SELECT collection, user_id, image_id, x'00', 'abcd' FROM images WHERE accepted = "
	    "'soon'",
	    "INSERT INTO embeddings SELECT collection, user_id, image_id, 'model', 'abcd' FROM images"
	    " WHERE accepted = 'soon'",
	};
	struct store *store = open_store();
	struct collection_cursor cursor = {0};
	struct error err = {0};
	unsigned count = 0;

	(void)state;
	assert_int_equal(enroll(store, "ann", 1, &err), 0);
	for (unsigned i = 0; i < array_size(hostile); i++) {
		if (database_execute(store->database, hostile[i], NULL, 0, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(enroll(store, "bob", 2, &err), 0);
	assert_int_equal(enroll(store, "eve", 3, &err), 0);
	while (collections_missing(store, NULL, "another", &cursor, 1, count_image, &count, &err) > 0)
		continue;
	assert_int_equal(count, 3);
	count = 0;
	cursor = (struct collection_cursor){0};
	while (collections_missing(store, "c", "another", &cursor, 1, count_image, &count, &err) > 0)
		continue;
	assert_int_equal(count, 3);
	count = 0;
	assert_int_equal(collections_export(store, NULL, count_image, &count, &err), 0);
	assert_int_equal(count, 3);
	store_close(store);
}

static void test_opening_makes_no_file(void **state)
{
	struct store *store;
	struct error err = {0};

	(void)state;
	assert_true(store_open(&store, &settings, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.text, "facefleet store migrate"));
	assert_int_equal(access(settings.url + strlen("sqlite:"), F_OK), -1);
}

static void test_older_schema_is_brought_up_to_date(void **state)
{
	struct database *database;
	struct store *store;
	struct error err = {0};
	int from, to;

	(void)state;
	assert_int_equal(
	    database_open(&database,
			  &(struct database_opening){.url = settings.url, .timeout_ms = 1000, .creates = true}, &err),
	    0);
	assert_int_equal(migrations_apply_up_to(database, 1, &err), 0);
	struct store old = {.database = database};
	assert_int_equal(enroll(&old, "ann", 1, &err), 0);
	database_close(database);
	assert_true(store_open(&store, &settings, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_int_equal(store_migrate(&settings, &from, &to, &err), 0);
	assert_int_equal(from, 1);
	assert_int_equal(to, migrations_newest());
	store = open_store();
	assert_value(store, "SELECT user_id FROM embeddings", "ann");
	store_close(store);
}

/* Made when no key was limited to collections: they stay as they were, and only they. */
static void test_keys_of_before_work_everywhere(void **state)
{
	struct database *database;
	struct error err = {0};
	struct api_key key = {0};
	bool found = false;

	(void)state;
	assert_int_equal(
	    database_open(&database,
			  &(struct database_opening){.url = settings.url, .timeout_ms = 1000, .creates = true}, &err),
	    0);
	assert_int_equal(migrations_apply_up_to(database, 7, &err), 0);
	assert_int_equal(database_execute(database,
					  "INSERT INTO api_keys (key_id, name, hash, scopes, rate_milli, burst_milli,"
					  " created) VALUES ('0123456789abcdef', 'old', zeroblob(32), 1, 0, 0, 5)",
					  NULL, 0, &err),
			 0);
	database_close(database);
	struct store *store = open_store();
	assert_int_equal(keys_find(store, "0123456789abcdef", &key, &found, &err), 0);
	assert_true(found);
	assert_string_equal(key.collections.text, KEY_COLLECTIONS_ALL);
	store_close(store);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_is_opened_for_several_processes),    CASE(test_nobody_else_may_read_it),
    CASE(test_embeddings_go_with_their_image),     CASE(test_several_processes),
    CASE(test_busy_is_an_error_that_passes),       CASE(test_names_of_another_type),
    CASE(test_older_schema_is_brought_up_to_date), CASE(test_opening_makes_no_file),
    CASE(test_keys_of_before_work_everywhere),
};

RUN_TESTS(tests)
