#include "run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "cache/newest.h"

#define PERSONS 50000

static void test_versions_only_rise(void **state)
{
	struct newest *newest = newest_new();

	(void)state;
	assert_non_null(newest);
	assert_int_equal(newest_of(newest, "staff", "ada"), 0);
	assert_int_equal(newest_raise(newest, "staff", "ada", 7), 0);
	assert_int_equal(newest_of(newest, "staff", "ada"), 7);
	assert_int_equal(newest_raise(newest, "staff", "ada", 5), 0);
	assert_int_equal(newest_of(newest, "staff", "ada"), 7);
	newest_free(newest);
}

static void test_names_are_told_apart(void **state)
{
	struct newest *newest = newest_new();

	(void)state;
	assert_int_equal(newest_raise(newest, "ab", "c", 1), 0);
	assert_int_equal(newest_raise(newest, "a", "bc", 2), 0);
	assert_int_equal(newest_raise(newest, "", "abc", 3), 0);
	assert_int_equal(newest_of(newest, "ab", "c"), 1);
	assert_int_equal(newest_of(newest, "a", "bc"), 2);
	assert_int_equal(newest_of(newest, "", "abc"), 3);
	assert_int_equal(newest_of(newest, "abc", ""), 0);
	newest_free(newest);
}

static atomic_bool all_in;

static void *look(void *arg)
{
	static char complaint[] = "another person's version";
	char user[32];

	/* Nobody is ever seen with somebody else's version, while the table grows. */
	for (unsigned i = 0; !atomic_load(&all_in); i = (i + 1) % PERSONS) {
		snprintf(user, sizeof(user), "user-%u", i);
		uint64_t version = newest_of(arg, "staff", user);
		if (version != 0 && version != i + 1)
			return complaint;
	}
	return NULL;
}

static void test_many_persons_while_others_look(void **state)
{
	struct newest *newest = newest_new();
	pthread_t reader;
	void *complaint;
	char user[32];

	(void)state;
	assert_int_equal(pthread_create(&reader, NULL, look, newest), 0);
	for (unsigned i = 0; i < PERSONS; i++) {
		snprintf(user, sizeof(user), "user-%u", i);
		assert_int_equal(newest_raise(newest, "staff", user, i + 1), 0);
	}
	atomic_store(&all_in, true);
	pthread_join(reader, &complaint);
	assert_null(complaint);
	for (unsigned i = 0; i < PERSONS; i++) {
		snprintf(user, sizeof(user), "user-%u", i);
		assert_int_equal(newest_of(newest, "staff", user), i + 1);
	}
	newest_free(newest);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_versions_only_rise),
    cmocka_unit_test(test_names_are_told_apart),
    cmocka_unit_test(test_many_persons_while_others_look),
};

RUN_TESTS(tests)
