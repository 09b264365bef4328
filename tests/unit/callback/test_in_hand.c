#include "world.h"

static void what_is_under_way_takes_over_the_tag_of_its_redelivery(void **state)
{
	struct world *world = *state;

	arrive(world, 1, 7);
	courier_lose(&world->courier, 1);
	arrive(world, 2, 1);
	assert_int_equal(fake.posted_count, 1);
	answer(world, 0, HTTP_ANSWERED, 200);
	settled(1, 2, 1, AMQP_ACK);
	assert_true(metric_value(world->meters.redelivered) == 1);
	assert_true(courier_is_idle(&world->courier));
}

static void a_second_copy_on_one_connection_is_a_message_of_its_own(void **state)
{
	struct world *world = *state;

	arrive(world, 2, 1);
	arrive(world, 2, 2);
	assert_int_equal(fake.posted_count, 2);
}

static void delivered_and_lost_before_its_report_is_confirmed(void **state)
{
	struct world *world = *state;

	fake.hold_reports = true;
	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 200);
	courier_lose(&world->courier, 1);
	arrive(world, 2, 3);
	assert_int_equal(fake.posted_count, 1); /* not once more */
	fake.reports[0].done(fake.reports[0].arg, AMQP_CONFIRMED, fake.reports[0].message);
	courier_read_mail(&world->courier);
	settled(1, 2, 3, AMQP_ACK);
}

static void what_was_not_begun_is_dropped_with_its_connection(void **state)
{
	struct world *world = *state;

	for (uint64_t tag = 1; tag <= 3; tag++)
		arrive(world, 1, tag);
	courier_lose(&world->courier, 1);
	answer(world, 0, HTTP_ANSWERED, 200);
	answer(world, 1, HTTP_ANSWERED, 500);
	assert_int_equal(fake.posted_count, 2);
	assert_int_equal(fake.published_count, 0);
	assert_true(courier_is_idle(&world->courier));
	arrive(world, 1, 9); /* read before the loss, handled after it */
	assert_int_equal(fake.posted_count, 2);
	arrive(world, 2, 1);
	assert_int_equal(fake.posted_count, 3);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(what_is_under_way_takes_over_the_tag_of_its_redelivery),
    WORLD_TEST(a_second_copy_on_one_connection_is_a_message_of_its_own),
    WORLD_TEST(delivered_and_lost_before_its_report_is_confirmed),
    WORLD_TEST(what_was_not_begun_is_dropped_with_its_connection),
};

RUN_TESTS(tests)
