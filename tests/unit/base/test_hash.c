#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

#define KEYS 100000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_different_keys_get_different_hashes(void **state)
{
	uint64_t *hashes = malloc(KEYS * sizeof(*hashes));
	char key[32];

	(void)state;
	assert_non_null(hashes);
	for (int i = 0; i < KEYS; i++) {
		int length = snprintf(key, sizeof(key), "user-%d", i);
		hashes[i] = hash_bytes(7, key, (size_t)length);
	}
	qsort(hashes, KEYS, sizeof(*hashes), compare);
	for (int i = 1; i < KEYS; i++)
		assert_true(hashes[i] != hashes[i - 1]);
	free(hashes);
}

/* Two bytes of zero are not one, and nothing at all is a key too. */
static void test_length_counts(void **state)
{
	static const uint8_t zeros[16];

	(void)state;
	for (size_t size = 1; size < sizeof(zeros); size++)
		assert_true(hash_bytes(7, zeros, size) != hash_bytes(7, zeros, size - 1));
}

static void test_seed_changes_everything(void **state)
{
	(void)state;
	assert_true(hash_bytes(1, "somebody", 8) != hash_bytes(2, "somebody", 8));
	assert_true(hash_bytes(1, "somebody", 8) == hash_bytes(1, "somebody", 8));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_different_keys_get_different_hashes),
    cmocka_unit_test(test_length_counts),
    cmocka_unit_test(test_seed_changes_everything),
};

RUN_TESTS(tests)
