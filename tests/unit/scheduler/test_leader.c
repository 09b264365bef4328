#include "../run.h"

#include "base/clock.h"
#include "scheduler/leader.h"
#include "scratch.h"

#define TTL_MS 60000

/* Asks at once, whenever it asked before. */
static void tick(struct leader *leader, struct store *store)
{
	struct error err = {0};

	leader->next_ms = 0;
	if (leader_tick(leader, store, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_one_of_two(void **state)
{
	struct scratch *scratch = *state;
	struct leader first, second;

	leader_init(&first, TTL_MS);
	leader_init(&second, TTL_MS);
	assert_string_not_equal(first.holder, second.holder);
	assert_false(leader_is_leading(&first));
	tick(&first, scratch->store);
	tick(&second, scratch->store);
	assert_true(leader_is_leading(&first));
	assert_false(leader_is_leading(&second));
	tick(&first, scratch->store);
	assert_true(leader_is_leading(&first));
	leader_resign(&first, scratch->store);
	assert_false(leader_is_leading(&first));
	tick(&second, scratch->store);
	assert_true(leader_is_leading(&second));
	assert_int_equal(second.lock.token, first.lock.token + 1);
	tick(&first, scratch->store);
	assert_false(leader_is_leading(&first));
}

static void test_renews_within_the_life_of_the_lock(void **state)
{
	struct scratch *scratch = *state;
	struct leader leader;

	leader_init(&leader, TTL_MS);
	tick(&leader, scratch->store);
	int64_t wait_ms = leader.next_ms - clock_monotonic_ms();
	assert_true(wait_ms > 0 && wait_ms <= TTL_MS / 5);
	int64_t expires_ms = leader.lock.expires_ms;
	/* Not yet: the store is not asked. */
	assert_int_equal(leader_tick(&leader, NULL, NULL), 0);
	assert_int_equal(leader.lock.expires_ms, expires_ms);
}

static void test_ends_by_itself(void **state)
{
	struct scratch *scratch = *state;
	struct leader leader;

	leader_init(&leader, TTL_MS);
	tick(&leader, scratch->store);
	leader.until_ms = clock_monotonic_ms();
	assert_false(leader_is_leading(&leader));
	/* What was not renewed in time can be taken up again, if nobody else has it. */
	tick(&leader, scratch->store);
	assert_true(leader_is_leading(&leader));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_one_of_two),
    CASE(test_renews_within_the_life_of_the_lock),
    CASE(test_ends_by_itself),
};

RUN_TESTS(tests)
