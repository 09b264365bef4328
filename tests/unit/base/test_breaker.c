#include "../run.h"

#include "base/breaker.h"

#define OPEN_MS 1000
#define WINDOW_MS 5000
/* It opens for up to a quarter longer. */
#define SURELY_MS (OPEN_MS + OPEN_MS / 4)

static const struct breaker_settings settings = {.window_ms = WINDOW_MS, .least = 10, .share = 0.7, .open_ms = OPEN_MS};

static struct breaker breaker;

static int set_up(void **state)
{
	(void)state;
	breaker_init(&breaker, &settings);
	return 0;
}

static void report(unsigned count, bool success, int64_t now_ms)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned ticket = breaker_allow(&breaker, now_ms);

		assert_true(ticket);
		breaker_report(&breaker, ticket, success, now_ms);
	}
}

static void test_opens_when_most_fail(void **state)
{
	(void)state;
	report(3, true, 0);
	report(6, false, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_int_equal(breaker_wait_ms(&breaker, 0), 0);
	report(1, false, 0); /* 7 of 10 */
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(breaker_allow(&breaker, 0));
	assert_in_range(breaker_wait_ms(&breaker, 0), OPEN_MS, SURELY_MS);
	assert_false(breaker_allow(&breaker, OPEN_MS - 1));
}

static void test_few_outcomes_do_not_open(void **state)
{
	(void)state;
	report(9, false, 0);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_some_failures_do_not_open(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		report(1, true, 0);
		report(2, false, 0);
	}
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_old_outcomes_do_not_count(void **state)
{
	(void)state;
	report(9, false, 0);
	report(9, false, WINDOW_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	/* Nine of the window before have gone, half a window later none of these has. */
	report(1, false, WINDOW_MS + WINDOW_MS / 2);
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void test_much_later_nothing_counts(void **state)
{
	(void)state;
	report(9, false, 0);
	report(9, false, INT64_C(1) << 50);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void open_it(void)
{
	report(10, false, 0);
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

/* It is half open then. */
static unsigned try_it(int64_t now_ms)
{
	unsigned ticket = breaker_allow(&breaker, now_ms);

	assert_true(ticket);
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
	return ticket;
}

static void test_one_tries_and_closes(void **state)
{
	(void)state;
	open_it();
	unsigned ticket = try_it(SURELY_MS);
	assert_false(breaker_allow(&breaker, SURELY_MS));
	breaker_report(&breaker, ticket, true, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	/* What was before is forgotten. */
	report(9, false, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_one_tries_and_fails(void **state)
{
	(void)state;
	open_it();
	breaker_report(&breaker, try_it(SURELY_MS), false, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(breaker_allow(&breaker, SURELY_MS + OPEN_MS - 1));
	assert_true(breaker_allow(&breaker, 2 * SURELY_MS));
}

static void test_late_outcomes_do_not_count(void **state)
{
	unsigned early = breaker_allow(&breaker, 0);

	(void)state;
	open_it();
	breaker_report(&breaker, early, true, 1);
	breaker_report(&breaker, 0, true, 1); /* asked without being allowed */
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_false(breaker_allow(&breaker, 1));
	/* Nor are they taken for the outcome of the try. */
	unsigned ticket = try_it(SURELY_MS);
	breaker_report(&breaker, early, true, SURELY_MS);
	breaker_report(&breaker, early, false, SURELY_MS);
	breaker_withdraw(&breaker, early, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
	assert_false(breaker_allow(&breaker, SURELY_MS));
	breaker_report(&breaker, ticket, true, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	/* Nor counted among those that come after it. */
	for (int i = 0; i < 10; i++)
		breaker_report(&breaker, early, false, SURELY_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_another_tries_when_the_first_is_not_heard_of(void **state)
{
	(void)state;
	open_it();
	unsigned first = try_it(SURELY_MS);
	assert_false(breaker_allow(&breaker, SURELY_MS + OPEN_MS - 1));
	unsigned second = try_it(SURELY_MS + OPEN_MS);
	/* Both have tried: the first to be heard of decides. */
	breaker_report(&breaker, first, true, SURELY_MS + OPEN_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	for (int i = 0; i < 10; i++)
		breaker_report(&breaker, second, false, SURELY_MS + OPEN_MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_another_tries_when_the_first_withdraws(void **state)
{
	(void)state;
	open_it();
	breaker_withdraw(&breaker, breaker.ticket, 1);
	assert_false(breaker_allow(&breaker, 1));
	breaker_withdraw(&breaker, try_it(SURELY_MS), SURELY_MS);
	assert_true(breaker_allow(&breaker, SURELY_MS));
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(breaker_state_name(BREAKER_CLOSED), "closed");
	assert_string_equal(breaker_state_name(BREAKER_OPEN), "open");
	assert_string_equal(breaker_state_name(BREAKER_HALF_OPEN), "half_open");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_opens_when_most_fail, set_up),
    cmocka_unit_test_setup(test_few_outcomes_do_not_open, set_up),
    cmocka_unit_test_setup(test_some_failures_do_not_open, set_up),
    cmocka_unit_test_setup(test_old_outcomes_do_not_count, set_up),
    cmocka_unit_test_setup(test_much_later_nothing_counts, set_up),
    cmocka_unit_test_setup(test_one_tries_and_closes, set_up),
    cmocka_unit_test_setup(test_one_tries_and_fails, set_up),
    cmocka_unit_test_setup(test_late_outcomes_do_not_count, set_up),
    cmocka_unit_test_setup(test_another_tries_when_the_first_is_not_heard_of, set_up),
    cmocka_unit_test_setup(test_another_tries_when_the_first_withdraws, set_up),
    cmocka_unit_test(test_names),
};

RUN_TESTS(tests)
