#include "run.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/context.h"

static void assert_stops(const struct context *ctx, enum error_code code, int result)
{
	struct error err = {0};

	assert_int_equal(context_check(ctx, "decode", &err), result);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.text, "before decode"));
	assert_int_equal(context_check(ctx, "decode", NULL), result);
}

static void test_goes_on(void **state)
{
	struct error err = {0};
	struct context empty = {0};
	struct context later = {
	    .deadline_ms = clock_monotonic_ms() + 1000000,
	    .attempt_deadline_ms = clock_monotonic_ms() + 1000000,
	};

	(void)state;
	assert_int_equal(context_check(NULL, "decode", &err), 0);
	assert_int_equal(context_check(&empty, "decode", &err), 0);
	assert_int_equal(context_check(&later, "decode", &err), 0);
	assert_false(error_is_set(&err));
}

static void test_stops(void **state)
{
	struct context ctx = {.attempt_deadline_ms = clock_monotonic_ms() - 1};

	(void)state;
	assert_stops(&ctx, ERROR_ATTEMPT_TIMEOUT, -EAGAIN);
	/* What is final counts more than what may be tried again. */
	ctx.deadline_ms = clock_monotonic_ms() - 1;
	assert_stops(&ctx, ERROR_DEADLINE_EXCEEDED, -EBADMSG);
	context_cancel(&ctx);
	assert_stops(&ctx, ERROR_CANCELLED, -EBADMSG);
}

static void test_remaining(void **state)
{
	int64_t now = clock_monotonic_ms();
	struct context ctx = {0};

	(void)state;
	assert_int_equal(context_remaining_ms(NULL, 500), 500);
	assert_int_equal(context_remaining_ms(&ctx, 500), 500);
	ctx.deadline_ms = now + 2000000;
	assert_int_equal(context_remaining_ms(&ctx, 500), 500);
	assert_in_range(context_remaining_ms(&ctx, 9000000), 1, 2000000);
	ctx.attempt_deadline_ms = now + 1000000;
	assert_in_range(context_remaining_ms(&ctx, 9000000), 1, 1000000);
	ctx.attempt_deadline_ms = now - 1;
	assert_int_equal(context_remaining_ms(&ctx, 500), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_goes_on),
    cmocka_unit_test(test_stops),
    cmocka_unit_test(test_remaining),
};

RUN_TESTS(tests)
