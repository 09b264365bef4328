#include "run.h"

#include <stdio.h>

#include "base/uuid.h"
#include "cancelled.h"

static const char *id_of(unsigned number)
{
	static char id[UUID_SIZE];

	snprintf(id, sizeof(id), "00000000-0000-7000-8000-%012x", number);
	return id;
}

static void test_remembers_the_last_ones(void **state)
{
	struct cancelled *cancelled = cancelled_new();

	(void)state;
	assert_non_null(cancelled);
	assert_false(cancelled_has(cancelled, id_of(0)));
	for (unsigned i = 0; i < CANCELLED_MOST; i++)
		cancelled_add(cancelled, id_of(i));
	assert_true(cancelled_has(cancelled, id_of(0)));
	assert_true(cancelled_has(cancelled, id_of(CANCELLED_MOST - 1)));
	cancelled_add(cancelled, id_of(CANCELLED_MOST));
	assert_false(cancelled_has(cancelled, id_of(0)));
	assert_true(cancelled_has(cancelled, id_of(1)));
	assert_true(cancelled_has(cancelled, id_of(CANCELLED_MOST)));
	cancelled_free(cancelled);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_remembers_the_last_ones)};

RUN_TESTS(tests)
