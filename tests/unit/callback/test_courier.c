#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "callback/courier.h"
#include "files.h"
#include "job/delivery_report.h"
#include "samples.h"

/* The broker and the HTTP client are played by the three functions below; the rest is real. */

#define MOST 64

static struct {
	struct {
		uint64_t generation;
		uint64_t delivery;
		enum amqp_settlement settlement;
	} settled[MOST];
	unsigned settled_count;

	struct {
		struct amqp_message *message;
		amqp_outcome_fn *done;
		void *arg;
	} published[MOST];
	unsigned published_count;
	int publish_result;

	/* Reports of deliveries: taken at once, unless they are held. */
	struct {
		struct amqp_message *message;
		amqp_outcome_fn *done;
		void *arg;
	} reports[MOST];
	unsigned report_count;
	bool hold_reports;
	bool refuse_reports;

	struct {
		http_done_fn *done;
		void *arg;
	} posted[MOST];
	unsigned posted_count;
	int post_result;
} fake;

void amqp_link_settle(struct amqp_link *link, struct amqp_tag tag, enum amqp_settlement settlement)
{
	(void)link;
	assert_true(fake.settled_count < MOST);
	fake.settled[fake.settled_count].generation = tag.generation;
	fake.settled[fake.settled_count].delivery = tag.delivery;
	fake.settled[fake.settled_count++].settlement = settlement;
}

static int publish_report(struct amqp_message *message, amqp_outcome_fn *done, void *arg)
{
	if (fake.refuse_reports) {
		amqp_message_free(message);
		return -EAGAIN;
	}
	assert_true(fake.report_count < MOST);
	fake.reports[fake.report_count].message = message;
	fake.reports[fake.report_count].done = done;
	fake.reports[fake.report_count++].arg = arg;
	if (!fake.hold_reports)
		done(arg, AMQP_CONFIRMED, message);
	return 0;
}

int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *done, void *arg)
{
	(void)link;
	if (strcmp(message->exchange, TOPOLOGY_EVENTS_EXCHANGE) == 0)
		return publish_report(message, done, arg);
	if (fake.publish_result != 0) {
		amqp_message_free(message);
		return fake.publish_result;
	}
	assert_true(fake.published_count < MOST);
	fake.published[fake.published_count].message = message;
	fake.published[fake.published_count].done = done;
	fake.published[fake.published_count++].arg = arg;
	return 0;
}

int http_client_submit(struct http_client *client, const struct http_request *request)
{
	(void)client;
	if (fake.post_result != 0)
		return fake.post_result;
	assert_true(fake.posted_count < MOST);
	fake.posted[fake.posted_count].done = request->done;
	fake.posted[fake.posted_count++].arg = request->arg;
	return 0;
}

/* --- the rest of the world ------------------------------------------------------------------ */

struct world {
	struct mailbox box;
	struct metrics *metrics;
	struct meters meters;
	struct signature_keys *keys;
	struct retry_plan plan;
	struct breakers *breakers;
	struct courier courier;
};

/* Three failures, and nobody asks for the rest of the test. */
static const struct breaker_settings breaker = {.window_ms = 3600000, .least = 3, .share = 0.7, .open_ms = 3600000};

static int set_up(void **state)
{
	static struct world world;
	struct error err;

	memset(&fake, 0, sizeof(fake));
	memset(&world, 0, sizeof(world));
	assert_int_equal(mailbox_init(&world.box), 0);
	world.metrics = metrics_new();
	assert_non_null(world.metrics);
	meters_init(&world.meters, world.metrics);
	assert_int_equal(signature_keys_new(&world.keys, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &err), 0);
	assert_int_equal(retry_plan_parse(&world.plan, "5s, 5m", &err), 0);
	world.breakers = breakers_new("callback_endpoint", &breaker, 10, world.metrics);
	assert_non_null(world.breakers);
	const struct courier_tools tools = {
	    .box = &world.box,
	    .keys = world.keys,
	    .plan = &world.plan,
	    .meters = &world.meters,
	    .breakers = world.breakers,
	    .max_in_flight = 8,
	    .max_per_endpoint = 2,
	    .timeout_ms = 1000,
	};
	assert_int_equal(courier_init(&world.courier, &tools), 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	for (unsigned i = 0; i < fake.published_count; i++)
		amqp_message_free(fake.published[i].message);
	for (unsigned i = 0; i < fake.report_count; i++)
		amqp_message_free(fake.reports[i].message);
	courier_finish(&world->courier);
	signature_keys_free(world->keys);
	breakers_free(world->breakers);
	metrics_free(world->metrics);
	mailbox_finish(&world->box);
	return 0;
}

static void arrive_message(struct world *world, struct amqp_delivery *message)
{
	struct delivery *delivery = delivery_new(message, &world->box);

	assert_non_null(delivery);
	delivery->news = DELIVERY_ARRIVED;
	mailbox_post(&world->box, &delivery->mail);
	courier_read_mail(&world->courier);
}

static void arrive(struct world *world, uint64_t generation, uint64_t tag)
{
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->tag.generation = generation;
	message->tag.delivery = tag;
	message->redelivered = generation > 1;
	arrive_message(world, message);
}

static void answer(struct world *world, unsigned post, enum http_outcome outcome, long status)
{
	const struct http_response response = {
	    .outcome = outcome, .status = status, .retry_after_ms = -1, .text = "went wrong"};

	assert_true(post < fake.posted_count);
	fake.posted[post].done(fake.posted[post].arg, &response);
	courier_read_mail(&world->courier);
	courier_read_mail(&world->courier); /* what the broker said to a report */
}

static void confirm(struct world *world, unsigned publish, enum amqp_outcome outcome)
{
	assert_true(publish < fake.published_count);
	fake.published[publish].done(fake.published[publish].arg, outcome, fake.published[publish].message);
	courier_read_mail(&world->courier);
}

/* Exactly `count` were settled, the last one as told. */
static void settled(unsigned count, uint64_t generation, uint64_t tag, enum amqp_settlement settlement)
{
	assert_int_equal(fake.settled_count, count);
	assert_int_equal(fake.settled[count - 1].generation, generation);
	assert_int_equal(fake.settled[count - 1].delivery, tag);
	assert_int_equal(fake.settled[count - 1].settlement, settlement);
}

/* --- tests ---------------------------------------------------------------------------------- */

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

static void acks_a_reply_that_wants_no_callback(void **state)
{
	struct world *world = *state;
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->envelope.callback_url[0] = '\0';
	arrive_message(world, message);
	settled(1, 1, 1, AMQP_ACK);
	assert_true(metric_value(world->meters.unwanted) == 1);
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

/* --- reports --------------------------------------------------------------------------------- */

static void report_says(unsigned number, const char *key, struct delivery_report *out)
{
	const struct amqp_message *message = fake.reports[number].message;
	struct error err;

	assert_true(number < fake.report_count);
	assert_string_equal(message->routing_key, key);
	assert_string_equal(message->envelope.type, ENVELOPE_TYPE_DELIVERY);
	assert_string_equal(message->envelope.content_type, "application/json");
	assert_string_equal(message->envelope.message_id, SAMPLE_TASK);
	assert_false(message->mandatory);
	assert_null(strstr((const char *)message->body, "secret"));
	if (delivery_report_decode(out, message->body, message->body_size, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(out->task_id, SAMPLE_TASK);
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

/* --- endpoints that are switched off ---------------------------------------------------------- */

#define HOOKS "https://shop.example/hooks"

static void arrive_at(struct world *world, const char *url)
{
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	snprintf(message->envelope.callback_url, sizeof(message->envelope.callback_url), "%s", url);
	arrive_message(world, message);
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
	world->courier.tools.registry = registry_new(&settings, 60000);
	assert_non_null(world->courier.tools.registry);
	assert_int_equal(registry_start(world->courier.tools.registry), 0);

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
	registry_free(world->courier.tools.registry);
	store_files_finish(&files);
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

#define COURIER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    COURIER_TEST(acks_what_was_delivered),
    COURIER_TEST(a_raised_limit_posts_what_waits),
    COURIER_TEST(acks_a_failure_only_when_its_retry_is_confirmed),
    COURIER_TEST(parks_after_the_last_attempt),
    COURIER_TEST(parks_what_cannot_be_posted),
    COURIER_TEST(acks_a_reply_that_wants_no_callback),
    COURIER_TEST(keeps_and_forwards_again_what_the_broker_refuses),
    COURIER_TEST(keeps_what_does_not_fit_into_the_backlog),
    COURIER_TEST(drops_what_no_queue_can_hold),
    COURIER_TEST(a_post_that_cannot_be_submitted_is_a_failed_attempt),
    COURIER_TEST(the_next_in_line_is_posted_when_a_place_is_free),
    COURIER_TEST(an_endpoint_that_keeps_failing_is_left_alone),
    COURIER_TEST(what_an_endpoint_refuses_does_not_count_against_it),
    COURIER_TEST(a_slow_endpoint_does_not_fill_the_hands),
    COURIER_TEST(nobody_waits_in_line_for_ever),
    COURIER_TEST(what_is_under_way_takes_over_the_tag_of_its_redelivery),
    COURIER_TEST(a_second_copy_on_one_connection_is_a_message_of_its_own),
    COURIER_TEST(what_was_not_begun_is_dropped_with_its_connection),
    COURIER_TEST(closing_gives_back_what_is_not_under_way),
    COURIER_TEST(hurrying_gives_back_what_is_being_posted),
    COURIER_TEST(acks_what_was_delivered_when_its_report_is_confirmed),
    COURIER_TEST(reports_a_failure_ahead_of_its_retry),
    COURIER_TEST(reports_what_is_parked_and_why),
    COURIER_TEST(does_without_reports),
    COURIER_TEST(reports_nothing_of_an_unknown_task),
    COURIER_TEST(delivered_and_lost_before_its_report_is_confirmed),
    COURIER_TEST(parks_what_goes_to_an_endpoint_that_is_gone),
};

RUN_TESTS(tests)
