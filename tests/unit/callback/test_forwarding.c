#include "world.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"

static void acks_a_failure_only_when_its_retry_is_confirmed(void **state)
{
	struct world *world = *state;

	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 500);
	assert_int_equal(fake.published_count, 1);
	assert_string_equal(fake.published[0].message->routing_key, "facefleet.retry.callbacks.5000");
	assert_int_equal(fake.settled_count, 0);
	confirm(world, 0, AMQP_CONFIRMED);
	settled(1, 1, 7, AMQP_ACK);
	assert_true(metric_value(world->meters.retried) == 1);
}

static void keeps_and_forwards_again_what_the_broker_refuses(void **state)
{
	struct world *world = *state;
	int64_t now_ms = clock_monotonic_ms();

	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 500);
	confirm(world, 0, AMQP_NACKED);
	courier_tick(&world->courier, now_ms);
	assert_int_equal(fake.published_count, 1);
	assert_true(metric_value(world->meters.stalled) == 1);

	courier_tick(&world->courier, now_ms + 60000);
	assert_int_equal(fake.published_count, 2);
	assert_string_equal(fake.published[1].message->routing_key, "facefleet.retry.callbacks.5000");
	assert_int_equal(fake.published[1].message->envelope.attempt, 1);
	assert_int_equal(fake.settled_count, 0);
	confirm(world, 1, AMQP_CONFIRMED);
	settled(1, 1, 7, AMQP_ACK);
	assert_int_equal(fake.posted_count, 1);
}

static void keeps_what_does_not_fit_into_the_backlog(void **state)
{
	struct world *world = *state;

	fake.publish_result = -EAGAIN;
	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 500);
	assert_int_equal(fake.settled_count, 0);
	fake.publish_result = 0;
	courier_tick(&world->courier, clock_monotonic_ms() + 60000);
	assert_int_equal(fake.published_count, 1);
	confirm(world, 0, AMQP_CONFIRMED);
	settled(1, 1, 7, AMQP_ACK);
}

static void drops_what_no_queue_can_hold(void **state)
{
	struct world *world = *state;

	fake.publish_result = -EMSGSIZE;
	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 500);
	settled(1, 1, 7, AMQP_DEAD_LETTER);
}

static void acks_what_was_delivered_when_its_report_is_confirmed(void **state)
{
	struct world *world = *state;
	struct delivery_report report;

	fake.hold_reports = true;
	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 204);
	assert_int_equal(fake.settled_count, 0);
	report_says(0, "delivery.unknown.delivered", &report);
	assert_int_equal(report.attempt, 1);
	assert_string_equal(report.origin, "https://shop.example:443");
	assert_int_equal(report.http_status, 204);
	assert_string_equal(report.error, "");
	assert_int_equal(report.next_attempt_at_ms, 0);
	fake.reports[0].done(fake.reports[0].arg, AMQP_CONFIRMED, fake.reports[0].message);
	courier_read_mail(&world->courier);
	settled(1, 1, 7, AMQP_ACK);
	assert_true(courier_is_idle(&world->courier));
}

/* The report goes first, and the ack waits for the copy alone. */
static void reports_a_failure_ahead_of_its_retry(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);
	struct delivery_report report;

	fake.hold_reports = true;
	message->envelope.attempt = 1;
	arrive_message(world, message);
	answer(world, 0, HTTP_ANSWERED, 500);
	report_says(0, "delivery.unknown.retrying", &report);
	assert_int_equal(report.attempt, 2);
	assert_int_equal(report.http_status, 500);
	assert_string_equal(report.error, "HTTP 500");
	assert_int_equal(report.next_attempt_at_ms, report.at_ms + 300000);
	confirm(world, 0, AMQP_CONFIRMED);
	settled(1, 1, 1, AMQP_ACK);
	assert_true(courier_is_idle(&world->courier));
	fake.reports[0].done(fake.reports[0].arg, AMQP_NACKED, fake.reports[0].message);
	assert_true(metric_value(world->meters.unreported) == 1);
}

static void reports_what_is_parked_and_why(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);
	struct delivery_report report;

	message->envelope.attempt = 2;
	arrive_message(world, message);
	answer(world, 0, HTTP_TIMED_OUT, 0);
	report_says(0, "delivery.unknown.parked", &report);
	assert_int_equal(report.attempt, 3);
	assert_int_equal(report.http_status, 0);
	assert_string_equal(report.error, "callback failed 3 times, lastly: went wrong");
	assert_int_equal(report.next_attempt_at_ms, 0);

	message = sample_delivery(ENCODING_JSON, 0);
	strcpy(message->envelope.callback_url, "file:///etc/secret");
	arrive_message(world, message);
	report_says(1, "delivery.unknown.parked", &report);
	assert_int_equal(report.attempt, 0);
	assert_string_equal(report.origin, "");
	assert_int_equal(report.duration_us, -1);
}

/* Whatever becomes of the reports, the callbacks are dealt with. */
static void does_without_reports(void **state)
{
	struct world *world = *state;

	fake.refuse_reports = true;
	arrive(world, 1, 7);
	answer(world, 0, HTTP_ANSWERED, 200);
	settled(1, 1, 7, AMQP_ACK);
	arrive(world, 1, 8);
	answer(world, 1, HTTP_ANSWERED, 500);
	confirm(world, 0, AMQP_CONFIRMED);
	settled(2, 1, 8, AMQP_ACK);
	assert_true(metric_value(world->meters.unreported) == 2);

	fake.refuse_reports = false;
	fake.hold_reports = true;
	arrive(world, 1, 9);
	answer(world, 2, HTTP_ANSWERED, 200);
	fake.reports[0].done(fake.reports[0].arg, AMQP_NACKED, fake.reports[0].message);
	courier_read_mail(&world->courier);
	settled(3, 1, 9, AMQP_ACK);
	assert_true(metric_value(world->meters.unreported) == 3);
}

/* A message that names no task has no history. */
static void reports_nothing_of_an_unknown_task(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->envelope.message_id[0] = '\0';
	message->body[0] = '!';
	arrive_message(world, message);
	assert_int_equal(fake.published_count, 1);
	assert_int_equal(fake.report_count, 0);
	assert_true(metric_value(world->meters.unreported) == 0);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(acks_a_failure_only_when_its_retry_is_confirmed),
    WORLD_TEST(keeps_and_forwards_again_what_the_broker_refuses),
    WORLD_TEST(keeps_what_does_not_fit_into_the_backlog),
    WORLD_TEST(drops_what_no_queue_can_hold),
    WORLD_TEST(acks_what_was_delivered_when_its_report_is_confirmed),
    WORLD_TEST(reports_a_failure_ahead_of_its_retry),
    WORLD_TEST(reports_what_is_parked_and_why),
    WORLD_TEST(does_without_reports),
    WORLD_TEST(reports_nothing_of_an_unknown_task),
};

RUN_TESTS(tests)
