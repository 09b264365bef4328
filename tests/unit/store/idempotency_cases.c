#include "../run.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "idempotency_cases.h"
#include "store/idempotency.h"
#include "store/store_private.h"

#define NOW (INT64_C(1800000000) * 1000)

static struct store_settings settings = {.timeout_ms = 20000};
static struct store *store;

static const uint8_t hash_a[IDEMPOTENCY_HASH_SIZE] = {1};
static const uint8_t hash_b[IDEMPOTENCY_HASH_SIZE] = {2};
static const struct idempotency_request first = {.owner = "owner", .key = "key", .hash = hash_a};
static const struct idempotency_request other = {.owner = "owner", .key = "key", .hash = hash_b};

static int set_up(void **state)
{
	(void)state;
	if (store_migrate(&settings, NULL, NULL, NULL) < 0 || store_open(&store, &settings, NULL) < 0)
		return -1;
	return database_execute(store->database, "DELETE FROM idempotency_keys", NULL, 0, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void task(unsigned number, char out[UUID_SIZE])
{
	snprintf(out, UUID_SIZE, "00000000-0000-7000-8000-%012u", number);
}

static struct idempotency_claim reserve(const struct idempotency_request *request, unsigned number, int64_t now_ms)
{
	struct idempotency_claim claim;
	struct error err = {0};
	char id[UUID_SIZE];

	task(number, id);
	if (idempotency_reserve(store, request, id, now_ms, &claim, &err) < 0)
		fail_msg("%s", err.text);
	return claim;
}

static void assert_task(const struct idempotency_claim *claim, unsigned number)
{
	char id[UUID_SIZE];

	task(number, id);
	assert_string_equal(claim->task_id, id);
}

static void complete(const struct idempotency_request *request, const struct idempotency_claim *claim)
{
	assert_int_equal(idempotency_complete(store, request, claim, NULL), 0);
}

static void test_carried_out_once(void **state)
{
	struct idempotency_claim claim = reserve(&first, 1, NOW);

	(void)state;
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_task(&claim, 1);
	assert_int_equal(reserve(&first, 2, NOW + 1).state, IDEMPOTENCY_IN_FLIGHT);
	complete(&first, &claim);
	struct idempotency_claim again = reserve(&first, 3, NOW + 2);
	assert_int_equal(again.state, IDEMPOTENCY_DONE);
	assert_task(&again, 1);
}

static void test_another_request_under_the_same_key(void **state)
{
	struct idempotency_claim claim = reserve(&first, 1, NOW);

	(void)state;
	assert_int_equal(reserve(&other, 2, NOW).state, IDEMPOTENCY_DIFFERENT);
	assert_int_equal(reserve(&other, 2, NOW + IDEMPOTENCY_LEASE_MS).state, IDEMPOTENCY_DIFFERENT);
	complete(&first, &claim);
	assert_int_equal(reserve(&other, 2, NOW).state, IDEMPOTENCY_DIFFERENT);
}

static void test_keys_belong_to_owners(void **state)
{
	const struct idempotency_request elses = {.owner = "else", .key = "key", .hash = hash_b};

	(void)state;
	assert_int_equal(reserve(&first, 1, NOW).state, IDEMPOTENCY_NEW);
	assert_int_equal(reserve(&elses, 2, NOW).state, IDEMPOTENCY_NEW);
}

static void test_released_and_claimed_again(void **state)
{
	struct idempotency_claim claim = reserve(&first, 1, NOW);

	(void)state;
	assert_int_equal(idempotency_release(store, &first, &claim, NULL), 0);
	claim = reserve(&other, 2, NOW);
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_task(&claim, 2);
	/* What was carried out is not given up any more. */
	complete(&other, &claim);
	assert_int_equal(idempotency_release(store, &other, &claim, NULL), 0);
	assert_int_equal(reserve(&other, 3, NOW).state, IDEMPOTENCY_DONE);
}

/* A gateway that died may have published: who takes over says the same task id. */
static void test_taken_over_with_the_same_task(void **state)
{
	struct idempotency_claim dead = reserve(&first, 1, NOW);

	(void)state;
	assert_int_equal(reserve(&first, 2, NOW + IDEMPOTENCY_LEASE_MS - 1).state, IDEMPOTENCY_IN_FLIGHT);
	struct idempotency_claim heir = reserve(&first, 2, NOW + IDEMPOTENCY_LEASE_MS);
	assert_int_equal(heir.state, IDEMPOTENCY_NEW);
	assert_task(&heir, 1);
	/* It was only slow: its claim is another's now. */
	assert_int_equal(idempotency_release(store, &first, &dead, NULL), 0);
	assert_int_equal(reserve(&first, 3, NOW + IDEMPOTENCY_LEASE_MS + 1).state, IDEMPOTENCY_IN_FLIGHT);
	complete(&first, &dead);
	struct idempotency_claim again = reserve(&first, 3, NOW + IDEMPOTENCY_LEASE_MS + 1);
	assert_int_equal(again.state, IDEMPOTENCY_DONE);
	assert_task(&again, 1);
}

/* The gateway that died may have published: that its heir could not says nothing of that. */
static void test_taken_over_and_released(void **state)
{
	int64_t now_ms = NOW + IDEMPOTENCY_LEASE_MS;

	(void)state;
	assert_false(reserve(&first, 1, NOW).may_be_done);
	struct idempotency_claim heir = reserve(&first, 2, now_ms);
	assert_true(heir.may_be_done);
	assert_int_equal(idempotency_release(store, &first, &heir, NULL), 0);
	assert_int_equal(reserve(&other, 3, now_ms).state, IDEMPOTENCY_DIFFERENT);
	heir = reserve(&first, 3, now_ms);
	assert_int_equal(heir.state, IDEMPOTENCY_NEW);
	assert_task(&heir, 1);
	assert_true(heir.may_be_done);
	complete(&first, &heir);
	assert_int_equal(reserve(&first, 4, now_ms).state, IDEMPOTENCY_DONE);
}

static void test_forgotten_after_a_day(void **state)
{
	struct idempotency_claim claim = reserve(&first, 1, NOW);

	(void)state;
	complete(&first, &claim);
	assert_int_equal(reserve(&first, 2, NOW + IDEMPOTENCY_KEEP_MS - 1).state, IDEMPOTENCY_DONE);
	claim = reserve(&other, 2, NOW + IDEMPOTENCY_KEEP_MS);
	assert_int_equal(claim.state, IDEMPOTENCY_NEW);
	assert_task(&claim, 2);
	complete(&other, &claim);
	assert_int_equal(reserve(&other, 3, NOW + IDEMPOTENCY_KEEP_MS + 1).state, IDEMPOTENCY_DONE);
}

static unsigned purge(int64_t now_ms, unsigned limit)
{
	struct error err = {0};
	unsigned removed;

	if (idempotency_purge(store, now_ms, limit, &removed, &err) < 0)
		fail_msg("%s", err.text);
	return removed;
}

static void test_purged_in_steps(void **state)
{
	char key[16];
	struct idempotency_request request = {.owner = "owner", .key = key, .hash = hash_a};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		assert_int_equal(reserve(&request, i, NOW + i).state, IDEMPOTENCY_NEW);
	}
	assert_int_equal(purge(NOW + IDEMPOTENCY_KEEP_MS - 1, 10), 0);
	assert_int_equal(purge(NOW + IDEMPOTENCY_KEEP_MS + 3, 3), 3);
	assert_int_equal(purge(NOW + IDEMPOTENCY_KEEP_MS + 3, 3), 1);
	assert_int_equal(purge(NOW + IDEMPOTENCY_KEEP_MS + 3, 3), 0);
	assert_int_equal(reserve(&request, 9, NOW + 10).state, IDEMPOTENCY_IN_FLIGHT); /* the youngest */
}

#define RIVALS 4

static void *claim_once(void *arg)
{
	struct idempotency_claim claim;
	struct error err = {0};
	struct store *own;
	char id[UUID_SIZE];

	task((unsigned)(uintptr_t)arg, id);
	if (store_open(&own, &settings, &err) < 0)
		return (void *)-1;
	int r = idempotency_reserve(own, &first, id, NOW, &claim, &err);
	store_close(own);
	return r < 0 ? (void *)-1 : (void *)(uintptr_t)claim.state;
}

static void test_of_many_at_once_one_wins(void **state)
{
	pthread_t threads[RIVALS];
	unsigned counts[IDEMPOTENCY_DIFFERENT + 1] = {0};

	(void)state;
	for (uintptr_t i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, claim_once, (void *)i), 0);
	for (unsigned i = 0; i < RIVALS; i++) {
		void *result;

		pthread_join(threads[i], &result);
		assert_true((uintptr_t)result <= IDEMPOTENCY_DIFFERENT);
		counts[(uintptr_t)result]++;
	}
	assert_int_equal(counts[IDEMPOTENCY_NEW], 1);
	assert_int_equal(counts[IDEMPOTENCY_IN_FLIGHT], RIVALS - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int idempotency_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_carried_out_once),
	    CASE(test_another_request_under_the_same_key),
	    CASE(test_keys_belong_to_owners),
	    CASE(test_released_and_claimed_again),
	    CASE(test_taken_over_with_the_same_task),
	    CASE(test_taken_over_and_released),
	    CASE(test_forgotten_after_a_day),
	    CASE(test_purged_in_steps),
	    CASE(test_of_many_at_once_one_wins),
	};

	settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
