#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"

static int64_t time_of(const char *uuid)
{
	char digits[13];

	memcpy(digits, uuid, 8);
	memcpy(digits + 8, uuid + 9, 4);
	digits[12] = '\0';
	return strtoll(digits, NULL, 16);
}

static void test_form(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char uuid[UUID_SIZE];
		int64_t before = clock_unix_ms();
		uuid_v7(uuid);
		assert_true(uuid_is_valid(uuid));
		assert_int_equal(uuid[14], '7');
		assert_non_null(strchr("89ab", uuid[19]));
		assert_in_range(time_of(uuid), before, clock_unix_ms());
	}
}

static void test_no_two_are_the_same(void **state)
{
	enum { COUNT = 1000 };
	static char uuids[COUNT][UUID_SIZE];

	(void)state;
	for (int i = 0; i < COUNT; i++)
		uuid_v7(uuids[i]);
	qsort(uuids, COUNT, UUID_SIZE, (int (*)(const void *, const void *))strcmp);
	for (int i = 1; i < COUNT; i++)
		assert_string_not_equal(uuids[i - 1], uuids[i]);
}

static void test_validity(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0193a5d0-7c00-7abc-8def-0123456789a",
	    "0193a5d0-7c00-7abc-8def-0123456789abc",
	    "0193A5D0-7c00-7abc-8def-0123456789ab",
	    "0193a5d0-7c00-7abc-8def-0123456789ag",
	    "0193a5d007c00-7abc-8def-0123456789ab",
	    "0193a5d07c007abc8def0123456789ab",
	    "{193a5d0-7c00-7abc-8def-0123456789a}",
	};

	(void)state;
	assert_true(uuid_is_valid("0193a5d0-7c00-7abc-8def-0123456789ab"));
	assert_true(uuid_is_valid("00000000-0000-0000-0000-000000000000"));
	for (size_t i = 0; i < array_size(bad); i++)
		assert_false(uuid_is_valid(bad[i]));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_form),
    cmocka_unit_test(test_no_two_are_the_same),
    cmocka_unit_test(test_validity),
};

RUN_TESTS(tests)
