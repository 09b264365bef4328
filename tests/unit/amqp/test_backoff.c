#include "amqp/backoff.h"

#include "run.h"

static void test_doubles_up_to_the_maximum(void **state)
{
	(void)state;
	struct backoff b = {.first_ms = 200, .max_ms = 1000};
	static const int64_t waits[] = {200, 400, 800, 1000, 1000, 1000};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		assert_in_range(backoff_next_ms(&b), waits[i] / 2, waits[i]);
	backoff_reset(&b);
	assert_in_range(backoff_next_ms(&b), 100, 200);
}

static void test_is_spread_out(void **state)
{
	(void)state;
	int64_t least = INT64_MAX;
	int64_t most = 0;

	for (int i = 0; i < 1000; i++) {
		struct backoff b = {.first_ms = 1000, .max_ms = 10000};
		int64_t wait = backoff_next_ms(&b);
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	assert_true(least < 600);
	assert_true(most > 900);
}

static void test_endless_failures_do_not_overflow(void **state)
{
	(void)state;
	struct backoff b = {.first_ms = 1, .max_ms = 10000, .failures = UINT32_MAX - 1};

	for (int i = 0; i < 4; i++)
		assert_in_range(backoff_next_ms(&b), 0, 10000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_doubles_up_to_the_maximum),
    cmocka_unit_test(test_is_spread_out),
    cmocka_unit_test(test_endless_failures_do_not_overflow),
};

RUN_TESTS(tests)
