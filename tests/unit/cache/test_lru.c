#include "run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cache/lru.h"

static int put(struct lru *lru, const char *key, const char *value)
{
	return lru_put(lru, key, strlen(key), value, strlen(value), 0);
}

static void expect(struct lru *lru, const char *key, const char *value)
{
	struct buffer out = {0};
	int r = lru_get(lru, key, strlen(key), &out);

	if (!value) {
		assert_int_equal(r, -ENOENT);
	} else {
		assert_int_equal(r, 0);
		assert_int_equal(out.size, strlen(value));
		assert_memory_equal(out.data, value, out.size);
	}
	buffer_finish(&out);
}

static void test_put_get_remove(void **state)
{
	struct lru *lru = lru_new(10000);

	(void)state;
	expect(lru, "a", NULL);
	assert_int_equal(put(lru, "a", "one"), 0);
	assert_int_equal(put(lru, "ab", "two"), 0);
	expect(lru, "a", "one");
	assert_int_equal(put(lru, "a", "other"), 0);
	expect(lru, "a", "other");
	assert_int_equal(lru_counts(lru).entries, 2);
	assert_true(lru_remove(lru, "a", 1));
	assert_false(lru_remove(lru, "a", 1));
	expect(lru, "a", NULL);
	expect(lru, "ab", "two");
	lru_clear(lru);
	expect(lru, "ab", NULL);
	struct lru_counts counts = lru_counts(lru);
	assert_int_equal(counts.bytes, 0);
	assert_int_equal(counts.hits, 3);
	assert_int_equal(counts.misses, 3);
	assert_int_equal(counts.evictions, 0);
	lru_free(lru);
	lru_free(NULL);
}

static void test_the_least_recently_used_goes_first(void **state)
{
	struct lru *lru = lru_new(10000);

	(void)state;
	assert_int_equal(put(lru, "a", "1"), 0);
	size_t one = lru_counts(lru).bytes;
	lru_free(lru);
	lru = lru_new(3 * one);
	assert_int_equal(put(lru, "a", "1"), 0);
	assert_int_equal(put(lru, "b", "2"), 0);
	assert_int_equal(put(lru, "c", "3"), 0);
	expect(lru, "a", "1");
	assert_int_equal(put(lru, "d", "4"), 0);
	expect(lru, "b", NULL);
	expect(lru, "a", "1");
	expect(lru, "c", "3");
	expect(lru, "d", "4");
	assert_int_equal(lru_counts(lru).evictions, 1);
	lru_free(lru);
}

static void test_what_is_larger_than_the_whole(void **state)
{
	struct lru *lru = lru_new(200);
	char large[300] = {0};

	(void)state;
	assert_int_equal(put(lru, "a", "1"), 0);
	assert_int_equal(put(lru, "b", "1"), 0);
	assert_int_equal(lru_put(lru, "a", 1, large, sizeof(large), 0), -EMSGSIZE);
	expect(lru, "a", NULL);
	expect(lru, "b", "1");
	assert_int_equal(lru_put(lru, "c", 1, large, SIZE_MAX, 0), -EMSGSIZE);
	lru_free(lru);
}

static void test_many_within_the_bound(void **state)
{
	struct lru *lru = lru_new(100000);
	char key[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "person-%d", i);
		assert_int_equal(put(lru, key, key), 0);
		assert_true(lru_counts(lru).bytes <= 100000);
	}
	struct lru_counts counts = lru_counts(lru);
	assert_true(counts.entries > 500);
	assert_int_equal(counts.evictions, 20000 - counts.entries);
	for (int i = 20000 - (int)counts.entries; i < 20000; i++) {
		snprintf(key, sizeof(key), "person-%d", i);
		expect(lru, key, key);
	}
	lru_free(lru);
}

static void test_time_to_live(void **state)
{
	struct lru *lru = lru_new(1000);
	int64_t give_up = clock_monotonic_ms() + 20000;
	struct buffer out = {0};

	(void)state;
	assert_int_equal(lru_put(lru, "short", 5, "x", 1, 1), 0);
	assert_int_equal(lru_put(lru, "long", 4, "y", 1, 3600000), 0);
	while (lru_get(lru, "short", 5, &out) == 0)
		assert_true(clock_monotonic_ms() < give_up);
	expect(lru, "long", "y");
	assert_int_equal(lru_counts(lru).entries, 1);
	buffer_finish(&out);
	lru_free(lru);
}

static void *use(void *arg)
{
	struct lru *lru = arg;

	for (unsigned i = 0; i < 20000; i++) {
		struct buffer out = {0};
		unsigned key = i * 2654435761u % 97;
		if (i % 3 == 0) {
			if (lru_put(lru, &key, sizeof(key), &key, sizeof(key), 0) < 0)
				return (void *)"put";
		} else if (i % 31 == 0) {
			lru_remove(lru, &key, sizeof(key));
		} else if (lru_get(lru, &key, sizeof(key), &out) == 0 && memcmp(out.data, &key, sizeof(key)) != 0) {
			buffer_finish(&out);
			return (void *)"another's value";
		}
		buffer_finish(&out);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct lru *lru = lru_new(4000);
	pthread_t ids[4];
	void *wrong;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, use, lru), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(ids[i], &wrong);
		assert_null(wrong);
	}
	assert_true(lru_counts(lru).bytes <= 4000);
	assert_true(lru_counts(lru).hits > 0);
	lru_free(lru);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_put_get_remove),
    cmocka_unit_test(test_the_least_recently_used_goes_first),
    cmocka_unit_test(test_what_is_larger_than_the_whole),
    cmocka_unit_test(test_many_within_the_bound),
    cmocka_unit_test(test_time_to_live),
    cmocka_unit_test(test_threads),
};
RUN_TESTS(tests)
