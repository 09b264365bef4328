#include "run.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "files.h"
#include "gateway/idempotency.h"
#include "store/store_private.h"

#define NOW (INT64_C(1800000000) * 1000)
#define TASK "00000000-0000-7000-8000-000000000001"
#define OTHER_TASK "00000000-0000-7000-8000-000000000002"

static struct store_files files;
static struct store_settings settings;
static struct store *store;
static struct idempotency_guard *guard;

static const uint8_t hash_a[IDEMPOTENCY_HASH_SIZE] = {1};
static const uint8_t hash_b[IDEMPOTENCY_HASH_SIZE] = {2};
static const struct idempotency_request first = {.owner = "owner", .key = "key", .hash = hash_a};
static const struct idempotency_request other = {.owner = "owner", .key = "key", .hash = hash_b};

static int set_up(void **state)
{
	(void)state;
	if (store_files_init(&files) < 0)
		return -1;
	settings.url = files.urls[0];
	guard = idempotency_guard_new(2);
	if (!guard || store_migrate(&settings, NULL, NULL, NULL) < 0)
		return -1;
	return store_open(&store, &settings, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	idempotency_guard_free(guard);
	store_close(store);
	store_files_finish(&files);
	return 0;
}

static struct idempotency_claim begin(const struct idempotency_request *request, const char *task_id)
{
	struct idempotency_claim claim;
	struct error err = {0};

	if (idempotency_guard_begin(guard, store, request, task_id, NOW, &claim, &err) < 0)
		fail_msg("%s", err.text);
	return claim;
}

static void finish(const struct idempotency_request *request, const struct idempotency_claim *claim)
{
	assert_int_equal(idempotency_guard_finish(guard, store, request, claim, NULL), 0);
}

/* A store that fails whatever it is asked. */
static void hide_store(bool hide)
{
	assert_int_equal(database_execute(store->database,
					  hide ? "ALTER TABLE idempotency_keys RENAME TO hidden"
					       : "ALTER TABLE hidden RENAME TO idempotency_keys",
					  NULL, 0, NULL),
			 0);
}

static void test_once(void **state)
{
	struct idempotency_claim claim = begin(&first, TASK);

	(void)state;
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_string_equal(claim.task_id, TASK);
	assert_int_equal(begin(&first, OTHER_TASK).state, IDEMPOTENCY_IN_FLIGHT);
	assert_int_equal(begin(&other, OTHER_TASK).state, IDEMPOTENCY_DIFFERENT);
	finish(&first, &claim);
	claim = begin(&first, OTHER_TASK);
	assert_int_equal(claim.state, IDEMPOTENCY_DONE);
	assert_string_equal(claim.task_id, TASK);
	assert_int_equal(begin(&other, OTHER_TASK).state, IDEMPOTENCY_DIFFERENT);
}

static void test_hasty_repetitions_do_not_reach_the_store(void **state)
{
	(void)state;
	assert_int_equal(begin(&first, TASK).state, IDEMPOTENCY_NEW);
	hide_store(true);
	assert_int_equal(begin(&first, OTHER_TASK).state, IDEMPOTENCY_IN_FLIGHT);
}

static void test_abandoned(void **state)
{
	struct idempotency_claim claim = begin(&first, TASK);

	(void)state;
	assert_int_equal(idempotency_guard_abandon(guard, store, &first, &claim, NULL), 0);
	claim = begin(&other, OTHER_TASK);
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_string_equal(claim.task_id, OTHER_TASK);
}

/* Nothing is left of it here; the store lets go when the claim has run out. */
static void test_forgotten(void **state)
{
	struct idempotency_claim claim;

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		int64_t now_ms = NOW + i * IDEMPOTENCY_LEASE_MS;

		assert_int_equal(idempotency_guard_begin(guard, store, &first, TASK, now_ms, &claim, NULL), 0);
		assert_int_equal(claim.state, IDEMPOTENCY_NEW);
		assert_string_equal(claim.task_id, TASK);
		idempotency_guard_forget(guard, &first);
		assert_int_equal(idempotency_guard_begin(guard, store, &first, TASK, now_ms, &claim, NULL), 0);
		assert_int_equal(claim.state, IDEMPOTENCY_IN_FLIGHT);
	}
}

static void test_two_gateways(void **state)
{
	struct idempotency_guard *ours = guard;
	struct idempotency_claim claim = begin(&first, TASK);

	(void)state;
	guard = idempotency_guard_new(2);
	assert_int_equal(begin(&first, OTHER_TASK).state, IDEMPOTENCY_IN_FLIGHT);
	assert_int_equal(begin(&other, OTHER_TASK).state, IDEMPOTENCY_DIFFERENT);
	assert_int_equal(idempotency_guard_finish(ours, store, &first, &claim, NULL), 0);
	claim = begin(&first, OTHER_TASK);
	assert_int_equal(claim.state, IDEMPOTENCY_DONE);
	assert_string_equal(claim.task_id, TASK);
	idempotency_guard_free(ours);
}

static void test_only_so_many(void **state)
{
	const struct idempotency_request second = {.owner = "owner", .key = "second", .hash = hash_a};
	const struct idempotency_request third = {.owner = "ownert", .key = "hird", .hash = hash_a};
	struct idempotency_claim claim = begin(&first, TASK);
	struct idempotency_claim refused;
	struct error err = {0};

	(void)state;
	assert_int_equal(begin(&second, OTHER_TASK).state, IDEMPOTENCY_NEW);
	assert_true(idempotency_guard_begin(guard, store, &third, TASK, NOW, &refused, &err) < 0);
	assert_int_equal(err.code, ERROR_OVERLOADED);
	finish(&first, &claim);
	assert_int_equal(begin(&third, TASK).state, IDEMPOTENCY_NEW);
}

static void test_a_store_that_fails(void **state)
{
	struct idempotency_claim claim;
	struct error err = {0};

	(void)state;
	hide_store(true);
	for (unsigned i = 0; i < 5; i++)
		assert_true(idempotency_guard_begin(guard, store, &first, TASK, NOW, &claim, &err) < 0);
	assert_true(err.code != ERROR_OVERLOADED);
	hide_store(false);
	claim = begin(&first, TASK);
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	hide_store(true);
	assert_true(idempotency_guard_finish(guard, store, &first, &claim, &err) < 0);
	hide_store(false);
	/* The claim runs out, and whoever repeats it publishes the same task. */
	assert_int_equal(
	    idempotency_guard_begin(guard, store, &first, OTHER_TASK, NOW + IDEMPOTENCY_LEASE_MS, &claim, &err), 0);
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_string_equal(claim.task_id, TASK);
}

static int note_count(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	*(int64_t *)arg = database_row_integer(row, 0);
	return 0;
}

static int64_t count_keys(void)
{
	int64_t count = -1;

	assert_int_equal(database_read(store->database,
				       &(struct database_statement){.sql = "SELECT COUNT(*) FROM idempotency_keys",
								    .fn = note_count,
								    .arg = &count},
				       NULL),
			 0);
	return count;
}

static void test_old_keys_go(void **state)
{
	const struct idempotency_request old = {.owner = "owner", .key = "old", .hash = hash_a};
	const int64_t now_ms = clock_unix_ms();
	struct idempotency_claim claim;

	(void)state;
	assert_int_equal(idempotency_reserve(store, &old, TASK, now_ms - IDEMPOTENCY_KEEP_MS, &claim, NULL), 0);
	assert_int_equal(idempotency_guard_begin(guard, store, &first, TASK, now_ms, &claim, NULL), 0);
	assert_int_equal(count_keys(), 2);
	finish(&first, &claim);
	assert_int_equal(count_keys(), 1);
	assert_int_equal(idempotency_guard_begin(guard, store, &first, TASK, now_ms, &claim, NULL), 0);
	assert_int_equal(claim.state, IDEMPOTENCY_DONE);
}

/* --- headers and hashes --- */

static void assert_read(const char *text, const char *expected)
{
	char key[IDEMPOTENCY_KEY_SIZE] = "untouched";

	assert_int_equal(idempotency_guard_read(text, key), expected != NULL);
	assert_string_equal(key, expected ? expected : "untouched");
}

static void test_headers(void **state)
{
	char longest[300];

	(void)state;
	assert_read("abc-123", "abc-123");
	assert_read("  abc 1 ", "abc 1");
	assert_read("\"abc\"", "abc");
	assert_read(" \"a\\\"b\\\\c\" ", "a\"b\\c");
	assert_read("", NULL);
	assert_read("  ", NULL);
	assert_read("\"\"", NULL);
	assert_read("\"abc", NULL);
	assert_read("\"abc\"x", NULL);
	assert_read("\"a\\x\"", NULL);
	assert_read("a\nb", NULL);
	assert_read("a\xC3\xA9", NULL);
	memset(longest, 'k', sizeof(longest));
	longest[255] = '\0';
	assert_read(longest, longest);
	longest[255] = 'k';
	longest[256] = '\0';
	assert_read(longest, NULL);
	longest[0] = '"';
	longest[256] = '"';
	longest[257] = '\0';
	char key[IDEMPOTENCY_KEY_SIZE];
	assert_true(idempotency_guard_read(longest, key));
	assert_int_equal(strlen(key), 255);
	longest[256] = 'k';
	longest[257] = '"';
	longest[258] = '\0';
	assert_read(longest, NULL);
}

static void test_hashes(void **state)
{
	uint8_t hashes[5][IDEMPOTENCY_HASH_SIZE];

	(void)state;
	idempotency_guard_hash("POST", "/a", "body", 4, hashes[0]);
	idempotency_guard_hash("PUT", "/a", "body", 4, hashes[1]);
	idempotency_guard_hash("POST", "/ab", "ody", 3, hashes[2]);
	idempotency_guard_hash("POST", "/a", "", 0, hashes[3]);
	idempotency_guard_hash("POST", "/a", "body", 4, hashes[4]);
	assert_memory_equal(hashes[0], hashes[4], IDEMPOTENCY_HASH_SIZE);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned j = i + 1; j < 4; j++)
			assert_memory_not_equal(hashes[i], hashes[j], IDEMPOTENCY_HASH_SIZE);
}

enum { RIVALS = 4 };

static void *begin_once(void *arg)
{
	enum idempotency_state *state = arg;
	struct idempotency_claim claim;
	struct error err = {0};
	struct store *own;

	if (store_open(&own, &settings, &err) < 0)
		return arg;
	int r = idempotency_guard_begin(guard, own, &first, TASK, NOW, &claim, &err);
	store_close(own);
	*state = claim.state;
	return r < 0 ? arg : NULL;
}

static void test_of_many_at_once_one_wins(void **state)
{
	enum idempotency_state states[RIVALS];
	pthread_t threads[RIVALS];
	unsigned winners = 0;

	(void)state;
	for (unsigned i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, begin_once, &states[i]), 0);
	for (unsigned i = 0; i < RIVALS; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
		winners += states[i] == IDEMPOTENCY_NEW;
		assert_true(states[i] == IDEMPOTENCY_NEW || states[i] == IDEMPOTENCY_IN_FLIGHT);
	}
	assert_int_equal(winners, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_headers),
    cmocka_unit_test(test_hashes),
    CASE(test_once),
    CASE(test_hasty_repetitions_do_not_reach_the_store),
    CASE(test_abandoned),
    CASE(test_forgotten),
    CASE(test_old_keys_go),
    CASE(test_two_gateways),
    CASE(test_only_so_many),
    CASE(test_a_store_that_fails),
    CASE(test_of_many_at_once_one_wins),
};

RUN_TESTS(tests)
