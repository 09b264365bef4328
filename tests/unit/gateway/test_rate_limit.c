#include "run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "gateway/rate_limit.h"

#define NOW INT64_C(500000)

static const struct rate two_a_second = {.per_second = 2, .burst = 3};

static struct rate_verdict take(struct rate_limit *limit, const char *name, const struct rate *rate, int64_t now_ms)
{
	struct rate_verdict verdict;

	rate_limit_take(limit, name, rate, now_ms, &verdict);
	return verdict;
}

static void test_burst_then_rate(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	struct rate_verdict verdict;

	(void)state;
	for (unsigned left = 3; left-- > 0;) {
		verdict = take(limit, "ann", &two_a_second, NOW);
		assert_true(verdict.allowed);
		assert_int_equal(verdict.limit, 3);
		assert_int_equal(verdict.remaining, left);
		assert_int_equal(verdict.retry_after_ms, 0);
		assert_int_equal(verdict.reset_ms, (3 - left) * 500);
	}
	verdict = take(limit, "ann", &two_a_second, NOW + 100);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.remaining, 0);
	assert_int_equal(verdict.retry_after_ms, 400);
	assert_int_equal(verdict.reset_ms, 1400);
	assert_false(take(limit, "ann", &two_a_second, NOW + 499).allowed);
	/* Being refused costs nothing. */
	assert_true(take(limit, "ann", &two_a_second, NOW + 500).allowed);
	assert_false(take(limit, "ann", &two_a_second, NOW + 500).allowed);
	rate_limit_free(limit);
}

static void test_a_look_takes_nothing(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	struct rate_verdict verdict;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		rate_limit_look(limit, "ann", &two_a_second, NOW, &verdict);
		assert_true(verdict.allowed);
		assert_int_equal(verdict.remaining, 3);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_true(take(limit, "ann", &two_a_second, NOW).allowed);
	rate_limit_look(limit, "ann", &two_a_second, NOW + 100, &verdict);
	assert_false(verdict.allowed);
	assert_int_equal(verdict.retry_after_ms, 400);
	rate_limit_free(limit);
}

static void test_full_again_and_no_more(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(take(limit, "ann", &two_a_second, NOW).allowed);
	assert_int_equal(take(limit, "ann", &two_a_second, NOW + 3600 * 1000).remaining, 2);
	rate_limit_free(limit);
}

static void test_a_clock_that_seems_to_go_back(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(take(limit, "ann", &two_a_second, NOW).allowed);
	/* Read before the others' turn, used after it. */
	assert_false(take(limit, "ann", &two_a_second, NOW - 10000).allowed);
	assert_false(take(limit, "ann", &two_a_second, NOW + 499).allowed);
	assert_true(take(limit, "ann", &two_a_second, NOW + 500).allowed);
	rate_limit_free(limit);
}

static void test_each_has_a_bucket(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	const struct rate once = {.per_second = 0.001, .burst = 1};

	(void)state;
	assert_true(take(limit, "ann", &once, NOW).allowed);
	assert_true(take(limit, "ben", &once, NOW).allowed);
	assert_true(take(limit, "", &once, NOW).allowed);
	assert_false(take(limit, "ann", &once, NOW).allowed);
	assert_false(take(limit, "ben", &once, NOW).allowed);
	assert_false(take(limit, "", &once, NOW).allowed);
	assert_int_equal(take(limit, "ann", &once, NOW).retry_after_ms, 1000 * 1000);
	rate_limit_free(limit);
}

static void test_the_longest_unused_goes_first(void **state)
{
	struct rate_limit *limit = rate_limit_new(2);
	const struct rate once = {.per_second = 0.001, .burst = 1};

	(void)state;
	assert_true(take(limit, "ann", &once, NOW).allowed);
	assert_true(take(limit, "ben", &once, NOW).allowed);
	assert_false(take(limit, "ann", &once, NOW).allowed);
	assert_true(take(limit, "cyn", &once, NOW).allowed); /* in ben's place */
	assert_false(take(limit, "ann", &once, NOW).allowed);
	assert_true(take(limit, "ben", &once, NOW).allowed); /* in cyn's */
	assert_false(take(limit, "ann", &once, NOW).allowed);
	rate_limit_free(limit);
}

static void test_a_limit_that_changes(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	const struct rate large = {.per_second = 1, .burst = 100};

	(void)state;
	assert_int_equal(take(limit, "ann", &large, NOW).remaining, 99);
	assert_int_equal(take(limit, "ann", &two_a_second, NOW).remaining, 2);
	assert_int_equal(take(limit, "ann", &large, NOW + 1000).remaining, 2);
	rate_limit_free(limit);
}

static void test_slow_rates_have_waits_that_end(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	const struct rate never = {.per_second = 1e-300, .burst = 1};

	(void)state;
	assert_true(take(limit, "ann", &never, NOW).allowed);
	struct rate_verdict verdict = take(limit, "ann", &never, NOW);
	assert_int_equal(verdict.retry_after_ms, 24 * 3600 * 1000);
	rate_limit_free(limit);
}

static void test_long_names_are_cut(void **state)
{
	struct rate_limit *limit = rate_limit_new(4);
	const struct rate once = {.per_second = 0.001, .burst = 1};
	char name[200];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(take(limit, name, &once, NOW).allowed);
	assert_false(take(limit, name, &once, NOW).allowed);
	rate_limit_free(limit);
}

static void assert_named(const char *address, const char *expected)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	char name[RATE_LIMIT_NAME_SIZE];

	if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
		rate_limit_name_address((const struct sockaddr *)&four, name);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
		rate_limit_name_address((const struct sockaddr *)&six, name);
	}
	assert_string_equal(name, expected);
}

static void test_names_of_addresses(void **state)
{
	(void)state;
	assert_named("192.0.2.7", "192.0.2.7");
	assert_named("::ffff:192.0.2.7", "192.0.2.7");
	assert_named("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
	assert_named("2001:db8:1:2::1", "2001:db8:1:2::");
}

enum { THREADS = 4, TAKES = 2000 };
struct crowd {
	struct rate_limit *limit;
	unsigned allowed;
};

static void *take_many(void *arg)
{
	struct crowd *crowd = arg;
	const struct rate thousand = {.per_second = 1e-6, .burst = 1000};
	char other[16];

	for (unsigned i = 0; i < TAKES; i++) {
		crowd->allowed += take(crowd->limit, "ann", &thousand, NOW).allowed;
		snprintf(other, sizeof(other), "%u", i % 5);
		take(crowd->limit, other, &thousand, NOW);
	}
	return NULL;
}

static void test_many_at_once(void **state)
{
	struct crowd crowds[THREADS];
	pthread_t threads[THREADS];
	unsigned allowed = 0;

	(void)state;
	crowds[0].limit = rate_limit_new(8);
	for (unsigned i = 0; i < THREADS; i++) {
		crowds[i] = (struct crowd){.limit = crowds[0].limit};
		assert_int_equal(pthread_create(&threads[i], NULL, take_many, &crowds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		allowed += crowds[i].allowed;
	}
	assert_int_equal(allowed, 1000);
	rate_limit_free(crowds[0].limit);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_burst_then_rate),        cmocka_unit_test(test_a_look_takes_nothing),
    cmocka_unit_test(test_full_again_and_no_more), cmocka_unit_test(test_a_clock_that_seems_to_go_back),
    cmocka_unit_test(test_each_has_a_bucket),      cmocka_unit_test(test_the_longest_unused_goes_first),
    cmocka_unit_test(test_a_limit_that_changes),   cmocka_unit_test(test_slow_rates_have_waits_that_end),
    cmocka_unit_test(test_long_names_are_cut),     cmocka_unit_test(test_names_of_addresses),
    cmocka_unit_test(test_many_at_once),
};

RUN_TESTS(tests)
