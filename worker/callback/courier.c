#include "courier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/url.h"
#include "obs/log.h"
#include "report.h"

/* How often a message that the broker refused is offered again, and for how long: far below its consumer_timeout. */
#define FORWARD_PAUSE_MS 1000
#define FORWARD_PATIENCE_MS (10 * 60 * 1000)

int courier_init(struct courier *courier, const struct courier_tools *tools)
{
	*courier = (struct courier){.tools = *tools};
	TAILQ_INIT(&courier->in_hand);
	courier->endpoints = endpoints_new(tools->max_per_endpoint);
	return courier->endpoints ? 0 : -ENOMEM;
}

/* Lets go of a delivery that has left its endpoint. */
static void let_go(struct courier *courier, struct delivery *delivery)
{
	TAILQ_REMOVE(&courier->in_hand, delivery, in_hand);
	delivery_free(delivery);
}

static void settle(struct courier *courier, struct delivery *delivery, enum amqp_settlement settlement)
{
	amqp_link_settle(courier->tools.consuming, delivery->message->tag, settlement);
	let_go(courier, delivery);
}

static bool is_lost(const struct courier *courier, const struct delivery *delivery)
{
	return delivery->message->tag.generation <= courier->lost;
}

/* --- posting ------------------------------------------------------------------------------- */

/* Through the mailbox, as any other answer comes: a line of failures does not recurse. */
static void answer_unasked(struct courier *courier, struct delivery *delivery, const char *why)
{
	delivery->unasked = true;
	delivery->answer = (struct answer){.outcome = HTTP_FAILED, .retry_after_ms = -1};
	snprintf(delivery->answer.text, sizeof(delivery->answer.text), "not sent: %s", why);
	delivery->news = DELIVERY_ANSWERED;
	mailbox_post(courier->tools.box, &delivery->mail);
}

/* An endpoint that keeps failing is left alone, and what goes there waits on the ladder as after a failure. But the
 * last attempt of a callback is made in any case. */
static bool may_ask(struct courier *courier, const struct delivery *delivery)
{
	bool is_last = retry_plan_next(courier->tools.plan, delivery_attempts(delivery) + 1, -1) < 0;

	return breakers_allow(courier->tools.breakers, &delivery->ctx, endpoint_origin(&delivery->place)) || is_last;
}

/* What an attempt says about the endpoint. */
static void note_answer(struct courier *courier, const struct delivery *delivery)
{
	const struct answer *answer = &delivery->answer;
	const char *origin = endpoint_origin(&delivery->place);

	if (delivery->unasked)
		return;
	if (courier->hurrying || answer->outcome == HTTP_REFUSED)
		breakers_withdraw(courier->tools.breakers, origin);
	else
		breakers_report(courier->tools.breakers, &delivery->ctx, origin,
				!http_server_failed(answer->outcome, answer->status));
}

static void post(struct courier *courier, struct delivery *delivery)
{
	struct registry_entry entry;

	delivery->state = DELIVERY_POSTING;
	registry_look(courier->tools.registry, delivery->message->envelope.callback_url, &entry);
	if (entry.disabled) {
		delivery->news = DELIVERY_DISABLED;
		mailbox_post(courier->tools.box, &delivery->mail);
		return;
	}
	if (!may_ask(courier, delivery)) {
		answer_unasked(courier, delivery, "the endpoint failed again and again");
		return;
	}
	int r = delivery_post(delivery, courier->tools.client, entry.keys ? entry.keys : courier->tools.keys,
			      courier->tools.timeout_ms);
	if (r == 0)
		return;
	breakers_withdraw(courier->tools.breakers, endpoint_origin(&delivery->place));
	answer_unasked(courier, delivery, strerror(-r));
}

void courier_set_limits(struct courier *courier, unsigned max_per_endpoint, int64_t timeout_ms)
{
	struct endpoint_place *next;

	courier->tools.timeout_ms = timeout_ms;
	endpoints_set_limit(courier->endpoints, max_per_endpoint);
	while ((next = endpoints_start_next(courier->endpoints)))
		post(courier, delivery_of_place(next));
}

/* Gives up the place at the endpoint; whose turn comes is posted. */
static void leave_endpoint(struct courier *courier, struct delivery *delivery)
{
	struct endpoint_place *next = endpoints_leave(courier->endpoints, &delivery->place);

	if (next)
		post(courier, delivery_of_place(next));
}

/* --- forwarding: to a retry queue or to the parked messages ---------------------------------- */

/* On the publishing link's thread. */
static void take_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct delivery *delivery = arg;

	(void)message;
	delivery->published = outcome;
	delivery->news = DELIVERY_PUBLISHED;
	mailbox_post(delivery->box, &delivery->mail);
}

static void stall(struct courier *courier, struct delivery *delivery, const char *why)
{
	int64_t now_ms = clock_monotonic_ms();

	if (delivery->stalled_since_ms == 0) {
		delivery->stalled_since_ms = now_ms;
		log_warning(&delivery->ctx, "callback kept in hand: the broker does not take it",
			    log_string("why", why), log_string("url", delivery->url));
	}
	delivery->state = DELIVERY_STALLED;
	delivery->forward_at_ms = now_ms + FORWARD_PAUSE_MS;
	if (courier->closing || now_ms - delivery->stalled_since_ms >= FORWARD_PATIENCE_MS)
		settle(courier, delivery, AMQP_REQUEUE);
}

static void forward(struct courier *courier, struct delivery *delivery)
{
	struct amqp_message *message = delivery_forward(delivery);

	buffer_finish(&delivery->payload);
	if (!message) {
		stall(courier, delivery, "out of memory");
		return;
	}
	delivery->state = DELIVERY_FORWARDING;
	int r = amqp_link_publish(courier->tools.publishing, message, take_outcome, delivery);
	if (r == -EMSGSIZE) {
		/* No queue takes it: it came from elsewhere. Handed on as it is, it would come back for ever. */
		log_error(&delivery->ctx, "callback dropped: the message is too large to be published again",
			  log_integer("bytes", (int64_t)delivery->message->body_size));
		settle(courier, delivery, AMQP_DEAD_LETTER);
	} else if (r != 0) {
		stall(courier, delivery, strerror(-r));
	}
}

/* --- reports: no callback depends on its own ------------------------------------------------- */

/* Ahead of the copy on one channel: the broker has had it when it confirms the copy, and the ack waits for that. */
static void report_and_forward(struct courier *courier, struct delivery *delivery, bool attempted)
{
	struct meters *meters = courier->tools.meters;

	(void)!report_send(courier->tools.publishing, meters, delivery, attempted, report_note, meters);
	forward(courier, delivery);
}

/* There is no copy: the ack waits for the report, if it can be sent, as it would wait for a copy. */
static void report_and_ack(struct courier *courier, struct delivery *delivery)
{
	delivery->state = DELIVERY_FORWARDING;
	if (!report_send(courier->tools.publishing, courier->tools.meters, delivery, true, take_outcome, delivery))
		settle(courier, delivery, AMQP_ACK);
}

static void count_forwarded(struct courier *courier, const struct verdict *verdict)
{
	struct meters *meters = courier->tools.meters;

	switch (verdict->what) {
	case VERDICT_RETRY:
		metric_add(meters->retried, 1);
		break;
	case VERDICT_DEFER:
		metric_add(meters->deferred, 1);
		break;
	case VERDICT_PARK:
		metric_add(meters->parked[verdict->cause], 1);
		break;
	case VERDICT_DELIVERED:
		break;
	}
}

static void handle_published(struct courier *courier, struct delivery *delivery)
{
	if (delivery->verdict.what == VERDICT_DELIVERED) {
		/* Taken or not, the endpoint has the callback. */
		report_note(courier->tools.meters, delivery->published, NULL);
		settle(courier, delivery, AMQP_ACK);
		return;
	}
	switch (delivery->published) {
	case AMQP_CONFIRMED:
		count_forwarded(courier, &delivery->verdict);
		settle(courier, delivery, AMQP_ACK);
		break;
	case AMQP_RETURNED:
		stall(courier, delivery, "its queue does not exist");
		break;
	case AMQP_NACKED:
		stall(courier, delivery, "its queue refused it");
		break;
	case AMQP_ABANDONED:
		settle(courier, delivery, AMQP_REQUEUE);
		break;
	}
}

/* --- answers ------------------------------------------------------------------------------- */

static void log_attempt(const struct delivery *delivery)
{
	const struct answer *answer = &delivery->answer;
	const struct verdict *verdict = &delivery->verdict;
	bool delivered = verdict->what == VERDICT_DELIVERED;
	const char *message = delivered                       ? "callback delivered"
			      : verdict->what == VERDICT_PARK ? "callback parked"
							      : "callback attempt failed";
	const struct log_field fields[] = {
	    log_string("outcome", answer_kind_name(answer_kind(answer))),
	    log_integer("attempt", delivery_attempts(delivery) + 1),
	    log_integer("status", answer->status),
	    log_number("elapsed_ms", answer->elapsed_ms),
	    log_string("url", delivery->url),
	    log_string("reason", delivered ? NULL : verdict->reason),
	    verdict->what == VERDICT_RETRY ? log_integer("next_delay_ms", verdict->delay_ms) : log_string("", NULL),
	    {0},
	};

	log_write(delivered ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, &delivery->ctx, message, fields);
}

/* No more callbacks for whoever said that it is gone, until an operator knows better. */
static void disable_endpoint(struct courier *courier, const struct delivery *delivery)
{
	char reason[ENDPOINTS_REASON_SIZE];

	snprintf(reason, sizeof(reason), "it answered HTTP %ld", delivery->answer.status);
	if (registry_disable(courier->tools.registry, delivery->message->envelope.callback_url, reason))
		log_warning(&delivery->ctx, "callback endpoint disabled", log_string("reason", reason),
			    log_string("url", delivery->url));
}

static void handle_answer(struct courier *courier, struct delivery *delivery)
{
	const struct verdict *verdict = &delivery->verdict;

	verdict_reach(&delivery->verdict, &delivery->answer, courier->tools.plan, delivery_attempts(delivery) + 1);
	/* Before anybody else's turn comes there. */
	if (!courier->hurrying && verdict->what == VERDICT_PARK && verdict->cause == PARK_GONE)
		disable_endpoint(courier, delivery);
	note_answer(courier, delivery);
	leave_endpoint(courier, delivery);
	if (courier->hurrying) {
		settle(courier, delivery, AMQP_REQUEUE);
		return;
	}
	log_attempt(delivery);
	meters_attempt(courier->tools.meters, &delivery->answer);

	switch (verdict->what) {
	case VERDICT_DELIVERED:
		if (delivery->finished_at_ms)
			metric_observe(courier->tools.meters->delivery_seconds,
				       (double)(clock_unix_ms() - delivery->finished_at_ms) / 1000);
		report_and_ack(courier, delivery);
		break;
	case VERDICT_PARK:
	case VERDICT_RETRY:
	case VERDICT_DEFER:
		/* The broker sends a lost one again, with this attempt uncounted: a copy must not go round as well. */
		if (is_lost(courier, delivery))
			let_go(courier, delivery);
		else
			report_and_forward(courier, delivery, true);
		break;
	}
}

/* --- arrivals ------------------------------------------------------------------------------- */

static bool is_same(const struct amqp_delivery *a, const struct amqp_delivery *b)
{
	return a->envelope.attempt == b->envelope.attempt &&
	       strcmp(a->envelope.message_id, b->envelope.message_id) == 0 &&
	       strcmp(a->envelope.callback_url, b->envelope.callback_url) == 0;
}

/* True if `arrived` is the redelivery of one that is under way; that one has its tag now. */
static bool adopt_tag(struct courier *courier, const struct delivery *arrived)
{
	struct delivery *known;

	if (!arrived->message->redelivered || !*arrived->message->envelope.message_id)
		return false;
	TAILQ_FOREACH(known, &courier->in_hand, in_hand)
	{
		if (known->message->tag.generation < arrived->message->tag.generation &&
		    is_same(known->message, arrived->message)) {
			known->message->tag = arrived->message->tag;
			metric_add(courier->tools.meters->redelivered, 1);
			return true;
		}
	}
	return false;
}

/* What cannot be posted is parked; what could not be looked at for want of memory comes again. */
static void refuse(struct courier *courier, struct delivery *delivery, enum park_cause cause, const struct error *err)
{
	if (err->class != ERROR_CLASS_REJECT) {
		settle(courier, delivery, AMQP_REQUEUE);
		return;
	}
	verdict_park(&delivery->verdict, cause, "callback %s: %.200s", park_cause_name(cause), err->text);
	log_warning(&delivery->ctx, "callback parked", log_string("reason", delivery->verdict.reason),
		    log_string("url", delivery->url));
	report_and_forward(courier, delivery, false);
}

/* True if the endpoint is switched off; then the delivery is on its way to the parked messages. */
static bool park_disabled(struct courier *courier, struct delivery *delivery)
{
	struct registry_entry entry;
	struct error err;

	registry_look(courier->tools.registry, delivery->message->envelope.callback_url, &entry);
	if (!entry.disabled)
		return false;
	error_set(&err, ERROR_INVALID_JOB, "its endpoint is switched off: %s", entry.disabled);
	refuse(courier, delivery, PARK_DISABLED, &err);
	return true;
}

static void handle_disabled(struct courier *courier, struct delivery *delivery)
{
	leave_endpoint(courier, delivery);
	/* The broker sends a lost one again: a copy must not be parked as well. */
	if (is_lost(courier, delivery)) {
		let_go(courier, delivery);
	} else if (courier->closing) {
		settle(courier, delivery, AMQP_REQUEUE);
	} else if (!park_disabled(courier, delivery)) {
		/* On again by now. */
		delivery->verdict =
		    (struct verdict){.what = VERDICT_DEFER, .delay_ms = retry_plan_shortest(courier->tools.plan)};
		forward(courier, delivery);
	}
}

/* Takes its place at the endpoint, and goes or waits. */
static void enter_endpoint(struct courier *courier, struct delivery *delivery, const char *origin)
{
	if (endpoints_enter(courier->endpoints, &delivery->place, origin, clock_monotonic_ms()) != 0)
		settle(courier, delivery, AMQP_REQUEUE);
	else if (delivery->place.running)
		post(courier, delivery);
	else
		delivery->state = DELIVERY_WAITING;
}

static void admit(struct courier *courier, struct delivery *delivery)
{
	char origin[HTTP_ORIGIN_SIZE];
	struct error err;

	if (delivery_prepare(delivery, &err) != 0) {
		refuse(courier, delivery, PARK_INVALID, &err);
	} else if (http_url_origin(delivery->message->envelope.callback_url, origin) != 0) {
		error_set(&err, ERROR_INVALID_JOB, "not an http or https URL");
		refuse(courier, delivery, PARK_REFUSED, &err);
	} else if (!park_disabled(courier, delivery)) {
		enter_endpoint(courier, delivery, origin);
	}
}

static void handle_arrival(struct courier *courier, struct delivery *delivery)
{
	if (is_lost(courier, delivery) || adopt_tag(courier, delivery)) {
		delivery_free(delivery);
		return;
	}
	TAILQ_INSERT_TAIL(&courier->in_hand, delivery, in_hand);
	if (courier->closing) {
		settle(courier, delivery, AMQP_REQUEUE);
	} else if (!*delivery->message->envelope.callback_url) {
		metric_add(courier->tools.meters->unwanted, 1);
		log_warning(&delivery->ctx, "reply without a callback URL in the callback queue");
		settle(courier, delivery, AMQP_ACK);
	} else {
		admit(courier, delivery);
	}
}

void courier_read_mail(struct courier *courier)
{
	struct mail *next;

	for (struct mail *mail = mailbox_take(courier->tools.box); mail; mail = next) {
		struct delivery *delivery = delivery_of_mail(mail);

		next = mail->next; /* handling it may free it or post it again */
		switch (delivery->news) {
		case DELIVERY_ARRIVED:
			handle_arrival(courier, delivery);
			break;
		case DELIVERY_ANSWERED:
			handle_answer(courier, delivery);
			break;
		case DELIVERY_PUBLISHED:
			handle_published(courier, delivery);
			break;
		case DELIVERY_DISABLED:
			handle_disabled(courier, delivery);
			break;
		}
	}
}

/* --- time and ends -------------------------------------------------------------------------- */

/* True when so much is in hand that the broker may soon send no more. */
static bool is_crowded(const struct courier *courier)
{
	size_t held = endpoints_running(courier->endpoints) + endpoints_waiting(courier->endpoints);

	return held > courier->tools.max_in_flight * 3 / 4;
}

static struct endpoint_place *shed_one(struct courier *courier, int64_t now_ms)
{
	struct endpoint_place *overdue = endpoints_shed_overdue(courier->endpoints, now_ms);

	return overdue || !is_crowded(courier) ? overdue : endpoints_shed(courier->endpoints, now_ms);
}

void courier_shed(struct courier *courier, int64_t now_ms)
{
	struct endpoint_place *place;

	while ((place = shed_one(courier, now_ms))) {
		struct delivery *delivery = delivery_of_place(place);
		delivery->verdict =
		    (struct verdict){.what = VERDICT_DEFER, .delay_ms = retry_plan_shortest(courier->tools.plan)};
		log_debug(&delivery->ctx, "callback deferred: its endpoint is slow", log_string("url", delivery->url));
		forward(courier, delivery);
	}
}

void courier_tick(struct courier *courier, int64_t now_ms)
{
	struct delivery *delivery = TAILQ_FIRST(&courier->in_hand);
	struct meters *meters = courier->tools.meters;
	unsigned stalled = 0;

	while (delivery) {
		struct delivery *next = TAILQ_NEXT(delivery, in_hand);

		if (delivery->state == DELIVERY_STALLED) {
			stalled++;
			if (now_ms >= delivery->forward_at_ms)
				forward(courier, delivery);
		}
		delivery = next;
	}
	metric_set(meters->in_flight, (double)endpoints_running(courier->endpoints));
	metric_set(meters->waiting, (double)endpoints_waiting(courier->endpoints));
	metric_set(meters->stalled, stalled);
}

/* Gives back what is not under way. The link drops what it is told of a lost one, so that is only forgotten. */
static void release_idle(struct courier *courier, bool only_lost)
{
	struct delivery *delivery = TAILQ_FIRST(&courier->in_hand);

	while (delivery) {
		struct delivery *next = TAILQ_NEXT(delivery, in_hand);
		bool idle = delivery->state == DELIVERY_WAITING || delivery->state == DELIVERY_STALLED;

		if (idle && (is_lost(courier, delivery) || !only_lost)) {
			if (delivery->place.endpoint)
				leave_endpoint(courier, delivery);
			settle(courier, delivery, AMQP_REQUEUE);
		}
		delivery = next;
	}
}

void courier_lose(struct courier *courier, uint64_t generation)
{
	if (generation <= courier->lost)
		return;
	courier->lost = generation;
	release_idle(courier, true);
}

void courier_close(struct courier *courier)
{
	courier->closing = true;
	release_idle(courier, false);
}

void courier_hurry(struct courier *courier)
{
	courier->hurrying = true;
}

bool courier_is_idle(const struct courier *courier)
{
	return TAILQ_EMPTY(&courier->in_hand);
}

void courier_finish(struct courier *courier)
{
	struct delivery *delivery;
	struct mail *next;

	for (struct mail *mail = mailbox_take(courier->tools.box); mail; mail = next) {
		next = mail->next;
		if (delivery_of_mail(mail)->news == DELIVERY_ARRIVED)
			delivery_free(delivery_of_mail(mail)); /* every other one is in hand */
	}
	while ((delivery = TAILQ_FIRST(&courier->in_hand))) {
		if (delivery->place.endpoint)
			(void)!endpoints_leave(courier->endpoints, &delivery->place);
		let_go(courier, delivery);
	}
	endpoints_free(courier->endpoints);
}
