#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct world_fake fake;

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

/* Three failures, and nobody asks for the rest of the test. */
static const struct breaker_settings breaker = {.window_ms = 3600000, .least = 3, .share = 0.7, .open_ms = 3600000};

int world_set_up(void **state)
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
	    .meters = &world.meters,
	    .max_in_flight = 8,
	    .posting =
		{
		    .keys = world.keys,
		    .plan = &world.plan,
		    .breakers = world.breakers,
		    .max_per_endpoint = 2,
		    .timeout_ms = 1000,
		},
	};
	assert_int_equal(courier_init(&world.courier, &tools), 0);
	*state = &world;
	return 0;
}

int world_tear_down(void **state)
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

void arrive_message(struct world *world, struct amqp_delivery *message)
{
	struct delivery *delivery = delivery_new(message, &world->box);

	assert_non_null(delivery);
	delivery_tell(delivery, DELIVERY_ARRIVED);
	courier_read_mail(&world->courier);
}

void arrive(struct world *world, uint64_t generation, uint64_t tag)
{
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	message->tag.generation = generation;
	message->tag.delivery = tag;
	message->redelivered = generation > 1;
	arrive_message(world, message);
}

void answer(struct world *world, unsigned post, enum http_outcome outcome, long status)
{
	const struct http_response response = {
	    .outcome = outcome, .status = status, .retry_after_ms = -1, .text = "went wrong"};

	assert_true(post < fake.posted_count);
	fake.posted[post].done(fake.posted[post].arg, &response);
	courier_read_mail(&world->courier);
	courier_read_mail(&world->courier); /* what the broker said to a report */
}

void confirm(struct world *world, unsigned publish, enum amqp_outcome outcome)
{
	assert_true(publish < fake.published_count);
	fake.published[publish].done(fake.published[publish].arg, outcome, fake.published[publish].message);
	courier_read_mail(&world->courier);
}

void settled(unsigned count, uint64_t generation, uint64_t tag, enum amqp_settlement settlement)
{
	assert_int_equal(fake.settled_count, count);
	assert_int_equal(fake.settled[count - 1].generation, generation);
	assert_int_equal(fake.settled[count - 1].delivery, tag);
	assert_int_equal(fake.settled[count - 1].settlement, settlement);
}

void arrive_at(struct world *world, const char *url)
{
	struct amqp_delivery *message = sample_delivery(ENCODING_JSON, 0);

	snprintf(message->envelope.callback_url, sizeof(message->envelope.callback_url), "%s", url);
	arrive_message(world, message);
}

void report_says(unsigned number, const char *key, struct delivery_report *out)
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
