#include "run.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/random.h"

static void test_bytes(void **state)
{
	uint8_t a[32] = {0};
	uint8_t b[32] = {0};

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	random_bytes(a, 0);
}

static void test_large_requests_are_filled(void **state)
{
	static uint8_t bytes[1 << 16];
	size_t zeros = 0;

	(void)state;
	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		zeros += bytes[i] == 0;
	assert_in_range(zeros, 1, 1000); /* 256 are to be expected */
}

static void test_between(void **state)
{
	bool seen[5] = {false};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t value = random_between(-2, 2);
		assert_true(value >= -2 && value <= 2);
		seen[value + 2] = true;
	}
	for (size_t i = 0; i < array_size(seen); i++)
		assert_true(seen[i]);
	assert_int_equal(random_between(7, 7), 7);
}

static void test_the_widest_range(void **state)
{
	(void)state;
	/* One in 2^63 to be the same by chance. */
	assert_true(random_between(INT64_MIN, INT64_MAX) != random_between(INT64_MIN, INT64_MAX));
	assert_true(random_between(0, INT64_MAX) >= 0);
	assert_true(random_between(INT64_MIN, -1) < 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_large_requests_are_filled),
    cmocka_unit_test(test_between),
    cmocka_unit_test(test_the_widest_range),
};

RUN_TESTS(tests)
