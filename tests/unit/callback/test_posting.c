#include "world.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "files.h"

#define HOOKS "https://shop.example/hooks"

static void the_next_in_line_is_posted_when_a_place_is_free(void **state)
{
	struct world *world = *state;

	for (uint64_t tag = 1; tag <= 3; tag++)
		arrive(world, 1, tag);
	assert_int_equal(fake.posted_count, 2);
	answer(world, 1, HTTP_ANSWERED, 200);
	assert_int_equal(fake.posted_count, 3);
	answer(world, 2, HTTP_ANSWERED, 200);
	settled(2, 1, 3, AMQP_ACK);
}

static void a_raised_limit_posts_what_waits(void **state)
{
	struct world *world = *state;

	for (uint64_t tag = 1; tag <= 4; tag++)
		arrive(world, 1, tag);
	assert_int_equal(fake.posted_count, 2);
	courier_set_limits(&world->courier, 3, 1000);
	assert_int_equal(fake.posted_count, 3);
	answer(world, 0, HTTP_ANSWERED, 200);
	assert_int_equal(fake.posted_count, 4);
	for (unsigned post = 1; post < 4; post++)
		answer(world, post, HTTP_ANSWERED, 200);
	assert_true(courier_is_idle(&world->courier));
}

static void a_post_that_cannot_be_submitted_is_a_failed_attempt(void **state)
{
	struct world *world = *state;

	fake.post_result = -ENOMEM;
	for (uint64_t tag = 1; tag <= 5; tag++)
		arrive(world, 1, tag);
	courier_read_mail(&world->courier); /* the places given back let the last ones fail in their turn */
	courier_read_mail(&world->courier);
	courier_read_mail(&world->courier);
	assert_int_equal(fake.published_count, 5);
	assert_int_equal(fake.published[4].message->envelope.attempt, 1);
}

static void a_slow_endpoint_does_not_fill_the_hands(void **state)
{
	struct world *world = *state;

	for (uint64_t tag = 1; tag <= 6; tag++)
		arrive(world, 1, tag);
	courier_shed(&world->courier, clock_monotonic_ms() + ENDPOINT_PATIENCE_MS + 1);
	assert_int_equal(fake.published_count, 0); /* there is room for others */
	for (uint64_t tag = 7; tag <= 9; tag++)
		arrive(world, 1, tag);
	courier_shed(&world->courier, clock_monotonic_ms());
	assert_int_equal(fake.published_count, 0); /* it may yet be a fast one */
	courier_shed(&world->courier, clock_monotonic_ms() + ENDPOINT_PATIENCE_MS + 1);
	assert_int_equal(fake.posted_count, 2);
	assert_int_equal(fake.published_count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_string_equal(fake.published[i].message->routing_key, "facefleet.retry.callbacks.5000");
		assert_int_equal(fake.published[i].message->envelope.attempt, 0);
		confirm(world, i, AMQP_CONFIRMED);
	}
	settled(3, 1, 7, AMQP_ACK);
	assert_true(metric_value(world->meters.deferred) == 3);
	assert_true(metric_value(world->meters.retried) == 0);
}

/* The broker closes the channel on who holds a message for half an hour, and all that is in hand comes again. */
static void nobody_waits_in_line_for_ever(void **state)
{
	struct world *world = *state;
	int64_t now_ms = clock_monotonic_ms();

	for (uint64_t tag = 1; tag <= 3; tag++)
		arrive(world, 1, tag);
	courier_shed(&world->courier, now_ms + ENDPOINT_LONGEST_MS - 1000);
	assert_int_equal(fake.published_count, 0);
	courier_shed(&world->courier, now_ms + ENDPOINT_LONGEST_MS + 60000);
	assert_int_equal(fake.published_count, 1);
	assert_string_equal(fake.published[0].message->routing_key, "facefleet.retry.callbacks.5000");
	assert_int_equal(fake.published[0].message->envelope.attempt, 0);
	confirm(world, 0, AMQP_CONFIRMED);
	settled(1, 1, 3, AMQP_ACK);
	/* Those under way have a limit of their own. */
	assert_int_equal(fake.posted_count, 2);
}

static void an_endpoint_that_keeps_failing_is_left_alone(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message;

	for (unsigned i = 0; i < 3; i++) {
		arrive(world, 1, 1 + i);
		answer(world, i, HTTP_TIMED_OUT, 0);
	}
	assert_int_equal(fake.posted_count, 3);
	/* As after a failure: up the ladder, without a word to the endpoint. */
	arrive(world, 1, 4);
	courier_read_mail(&world->courier);
	assert_int_equal(fake.posted_count, 3);
	assert_int_equal(fake.published_count, 4);
	assert_string_equal(fake.published[3].message->routing_key, "facefleet.retry.callbacks.5000");
	assert_int_equal(fake.published[3].message->envelope.attempt, 1);
	/* Another endpoint is none of its business. */
	message = sample_delivery(ENCODING_JSON, 0);
	strcpy(message->envelope.callback_url, "https://other.example/hook");
	arrive_message(world, message);
	assert_int_equal(fake.posted_count, 4);
	answer(world, 3, HTTP_ANSWERED, 200);
	/* Nothing is given up without a last try. */
	message = sample_delivery(ENCODING_JSON, 0);
	message->envelope.attempt = 2;
	arrive_message(world, message);
	assert_int_equal(fake.posted_count, 5);
	answer(world, 4, HTTP_ANSWERED, 200);
	for (unsigned i = 0; i < fake.published_count; i++)
		confirm(world, i, AMQP_CONFIRMED);
	assert_true(courier_is_idle(&world->courier));
}

static void what_an_endpoint_refuses_does_not_count_against_it(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < 6; i++) {
		arrive(world, 1, 1 + i);
		answer(world, i, HTTP_ANSWERED, 404);
	}
	assert_int_equal(fake.posted_count, 6);
	for (unsigned i = 0; i < 6; i++)
		confirm(world, i, AMQP_CONFIRMED);
}

static void parks_what_goes_to_an_endpoint_that_is_gone(void **state)
{
	static const char reason[] = "callback disabled: its endpoint is switched off: it answered HTTP 410";
	struct world *world = *state;
	struct delivery_report report;
	struct store_files files;

	assert_int_equal(store_files_init(&files), 0);
	const struct store_settings settings = {.url = files.urls[0], .timeout_ms = 5000};
	assert_int_equal(store_migrate(&settings, NULL, NULL, NULL), 0);
	world->courier.posting.tools.registry = registry_new(&settings, 60000);
	assert_non_null(world->courier.posting.tools.registry);
	assert_int_equal(registry_start(world->courier.posting.tools.registry), 0);

	for (unsigned i = 0; i < 3; i++)
		arrive_at(world, HOOKS); /* two go, the third waits */
	arrive_at(world, "https://shop.example/others");
	assert_int_equal(fake.posted_count, 2);
	answer(world, 0, HTTP_ANSWERED, 410);
	assert_string_equal(fake.published[0].message->envelope.reason, "callback endpoint is gone: HTTP 410");
	/* Whose turn came is not sent, and the one behind it is not held up. */
	courier_read_mail(&world->courier);
	assert_int_equal(fake.published_count, 2);
	assert_string_equal(fake.published[1].message->envelope.reason, reason);
	assert_int_equal(fake.posted_count, 3);
	arrive_at(world, HOOKS "?token=2");
	assert_int_equal(fake.published_count, 3);
	assert_string_equal(fake.published[2].message->envelope.reason, reason);
	assert_int_equal(fake.posted_count, 3);
	report_says(0, "delivery.unknown.parked", &report);
	assert_int_equal(report.attempt, 1);
	assert_int_equal(report.http_status, 410);
	report_says(1, "delivery.unknown.parked", &report);
	assert_int_equal(report.attempt, 0);
	assert_string_equal(report.error, reason);
	/* What was under way is taken as it is answered. */
	answer(world, 1, HTTP_ANSWERED, 200);
	answer(world, 2, HTTP_ANSWERED, 200);
	for (unsigned i = 0; i < 3; i++)
		confirm(world, i, AMQP_CONFIRMED);
	assert_int_equal(fake.settled_count, 5);
	assert_true(courier_is_idle(&world->courier));
	assert_true(metric_value(world->meters.parked[PARK_DISABLED]) == 2);
	registry_free(world->courier.posting.tools.registry);
	store_files_finish(&files);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(the_next_in_line_is_posted_when_a_place_is_free),
    WORLD_TEST(a_raised_limit_posts_what_waits),
    WORLD_TEST(a_post_that_cannot_be_submitted_is_a_failed_attempt),
    WORLD_TEST(a_slow_endpoint_does_not_fill_the_hands),
    WORLD_TEST(nobody_waits_in_line_for_ever),
    WORLD_TEST(an_endpoint_that_keeps_failing_is_left_alone),
    WORLD_TEST(what_an_endpoint_refuses_does_not_count_against_it),
    WORLD_TEST(parks_what_goes_to_an_endpoint_that_is_gone),
};

RUN_TESTS(tests)
