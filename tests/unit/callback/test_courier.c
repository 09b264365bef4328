#include "world.h"

#include <string.h>

static void acks_what_was_delivered(void **state)
{
	struct world *world = *state;

	arrive(world, 1, 7);
	assert_int_equal(fake.posted_count, 1);
	assert_int_equal(fake.settled_count, 0);
	answer(world, 0, HTTP_ANSWERED, 204);
	settled(1, 1, 7, AMQP_ACK);
	assert_int_equal(fake.published_count, 0);
	assert_true(courier_is_idle(&world->courier));
}

static void parks_after_the_last_attempt(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->envelope.attempt = 2;
	arrive_message(world, message);
	answer(world, 0, HTTP_TIMED_OUT, 0);
	assert_string_equal(fake.published[0].message->exchange, "facefleet.dead");
	assert_string_equal(fake.published[0].message->envelope.reason, "callback failed 3 times, lastly: went wrong");
	confirm(world, 0, AMQP_CONFIRMED);
	settled(1, 1, 1, AMQP_ACK);
	assert_true(metric_value(world->meters.parked[PARK_EXHAUSTED]) == 1);
}

static void parks_what_cannot_be_posted(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	strcpy(message->envelope.callback_url, "file:///etc/passwd");
	arrive_message(world, message);
	message = sample_delivery(ENCODING_JSON, 0);
	message->body[0] = '!';
	arrive_message(world, message);
	assert_int_equal(fake.posted_count, 0);
	assert_int_equal(fake.published_count, 2);
	assert_int_equal(strncmp(fake.published[0].message->envelope.reason, "callback refused: ", 18), 0);
	assert_int_equal(strncmp(fake.published[1].message->envelope.reason, "callback invalid: ", 18), 0);
	confirm(world, 1, AMQP_CONFIRMED);
	confirm(world, 0, AMQP_CONFIRMED);
	assert_int_equal(fake.settled_count, 2);
	assert_true(metric_value(world->meters.parked[PARK_REFUSED]) == 1);
	assert_true(metric_value(world->meters.parked[PARK_INVALID]) == 1);
}

/* curl would go to shop.example with each; the registry of endpoints would not know it as one of them. */
static void parks_urls_that_no_endpoint_can_have(void **state)
{
	static const char *const odd[] = {
	    "https:/shop.example/hooks",      "https:///shop.example/hooks",  "https:\\\\shop.example/hooks",
	    "https://you@shop.example/hooks", "https://shop%2Eexample/hooks", "https://shop.example\xE3\x80\x82/hooks",
	};
	struct world *world = *state;

	for (unsigned i = 0; i < array_size(odd); i++) {
		arrive_at(world, odd[i]);
		assert_int_equal(fake.posted_count, 0);
		assert_int_equal(fake.published_count, i + 1);
		confirm(world, i, AMQP_CONFIRMED);
	}
	assert_true(metric_value(world->meters.parked[PARK_REFUSED]) == array_size(odd));
	assert_string_equal(fake.published[1].message->envelope.reason, "callback refused: its URL has no host");
}

static void acks_a_reply_that_wants_no_callback(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->envelope.callback_url[0] = '\0';
	arrive_message(world, message);
	settled(1, 1, 1, AMQP_ACK);
	assert_true(metric_value(world->meters.unwanted) == 1);
}

static void closing_gives_back_what_is_not_under_way(void **state)
{
	struct world *world = *state;

	for (uint64_t tag = 1; tag <= 3; tag++)
		arrive(world, 1, tag);
	courier_close(&world->courier);
	settled(1, 1, 3, AMQP_REQUEUE);
	arrive(world, 1, 4);
	settled(2, 1, 4, AMQP_REQUEUE);
	answer(world, 0, HTTP_ANSWERED, 200);
	settled(3, 1, 1, AMQP_ACK);

	answer(world, 1, HTTP_ANSWERED, 500);
	confirm(world, 0, AMQP_NACKED);
	settled(4, 1, 2, AMQP_REQUEUE);
	assert_true(courier_is_idle(&world->courier));
}

static void hurrying_gives_back_what_is_being_posted(void **state)
{
	struct world *world = *state;

	arrive(world, 1, 1);
	courier_close(&world->courier);
	courier_hurry(&world->courier);
	answer(world, 0, HTTP_FAILED, 0);
	settled(1, 1, 1, AMQP_REQUEUE);
	assert_int_equal(fake.published_count, 0);
}

/* Its answer came before the client ended. */
static void hurrying_counts_what_was_delivered(void **state)
{
	struct world *world = *state;
	struct delivery_report report;

	arrive(world, 1, 1);
	courier_close(&world->courier);
	courier_hurry(&world->courier);
	answer(world, 0, HTTP_ANSWERED, 204);
	settled(1, 1, 1, AMQP_ACK);
	report_says(0, "delivery.unknown.delivered", &report);
	assert_int_equal(report.attempt, 1);
	assert_true(courier_is_idle(&world->courier));
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(acks_what_was_delivered),
    WORLD_TEST(parks_after_the_last_attempt),
    WORLD_TEST(parks_what_cannot_be_posted),
    WORLD_TEST(parks_urls_that_no_endpoint_can_have),
    WORLD_TEST(acks_a_reply_that_wants_no_callback),
    WORLD_TEST(closing_gives_back_what_is_not_under_way),
    WORLD_TEST(hurrying_gives_back_what_is_being_posted),
    WORLD_TEST(hurrying_counts_what_was_delivered),
};

RUN_TESTS(tests)
