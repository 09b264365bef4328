#include "courier.h"

#include <string.h>

#include "base/clock.h"
#include "http/url.h"
#include "job/web_url.h"
#include "obs/log.h"

int courier_init(struct courier *courier, const struct courier_tools *tools)
{
	*courier = (struct courier){
	    .box = tools->box,
	    .meters = tools->meters,
	    .max_in_flight = tools->max_in_flight,
	    .forwarding = {.in_hand = &courier->in_hand, .publishing = tools->publishing, .meters = tools->meters},
	};
	in_hand_init(&courier->in_hand, tools->consuming);
	return posting_init(&courier->posting, &tools->posting);
}

void courier_set_limits(struct courier *courier, unsigned max_per_endpoint, int64_t timeout_ms)
{
	posting_set_limits(&courier->posting, max_per_endpoint, timeout_ms);
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

static void handle_answer(struct courier *courier, struct delivery *delivery)
{
	posting_judge(&courier->posting, delivery);
	/* What came before the end counts: whoever has the callback is not to get it twice. */
	if (courier->posting.hurrying && delivery->verdict.what != VERDICT_DELIVERED) {
		in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
		return;
	}
	log_attempt(delivery);
	meters_attempt(courier->meters, &delivery->answer);

	switch (delivery->verdict.what) {
	case VERDICT_DELIVERED:
		if (delivery->finished_at_ms)
			metric_observe(courier->meters->delivery_seconds,
				       (double)(clock_unix_ms() - delivery->finished_at_ms) / 1000);
		forwarding_report_and_ack(&courier->forwarding, delivery);
		break;
	case VERDICT_PARK:
	case VERDICT_RETRY:
	case VERDICT_DEFER:
		/* The broker sends a lost one again, with this attempt uncounted: a copy must not go round as well. */
		if (in_hand_is_lost(&courier->in_hand, delivery))
			in_hand_drop(&courier->in_hand, delivery);
		else
			forwarding_report_and_send(&courier->forwarding, delivery, true);
		break;
	}
}

/* --- arrivals ------------------------------------------------------------------------------- */

/* What cannot be posted is parked; what could not be looked at for want of memory comes again. */
static void refuse(struct courier *courier, struct delivery *delivery, enum park_cause cause, const struct error *err)
{
	if (err->class != ERROR_CLASS_REJECT) {
		in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
		return;
	}
	verdict_park(&delivery->verdict, cause, "callback %s: %.200s", park_cause_name(cause), err->text);
	log_warning(&delivery->ctx, "callback parked", log_string("reason", delivery->verdict.reason),
		    log_string("url", delivery->url));
	forwarding_report_and_send(&courier->forwarding, delivery, false);
}

/* True if the endpoint is switched off; then the delivery is on its way to the parked messages. */
static bool park_disabled(struct courier *courier, struct delivery *delivery)
{
	const char *why = posting_why_disabled(&courier->posting, delivery);
	struct error err;

	if (!why)
		return false;
	error_set(&err, ERROR_INVALID_JOB, "its endpoint is switched off: %s", why);
	refuse(courier, delivery, PARK_DISABLED, &err);
	return true;
}

static void handle_disabled(struct courier *courier, struct delivery *delivery)
{
	posting_leave(&courier->posting, delivery);
	/* The broker sends a lost one again: a copy must not be parked as well. */
	if (in_hand_is_lost(&courier->in_hand, delivery)) {
		in_hand_drop(&courier->in_hand, delivery);
	} else if (courier->in_hand.closing) {
		in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
	} else if (!park_disabled(courier, delivery)) {
		/* On again by now. */
		posting_defer(&courier->posting, delivery);
		forwarding_send(&courier->forwarding, delivery);
	}
}

/* What the HTTP client takes and the registry does not understand could not be switched off there. */
static int check_url(const char *url, char origin[HTTP_ORIGIN_SIZE], struct error *err)
{
	const char *problem = web_url_problem(url);

	if (!problem && http_url_origin(url, origin) != 0)
		problem = "cannot be read";
	return problem ? error_set(err, ERROR_INVALID_JOB, "its URL %s", problem) : 0;
}

static void admit(struct courier *courier, struct delivery *delivery)
{
	char origin[HTTP_ORIGIN_SIZE];
	struct error err;

	if (delivery_prepare(delivery, &err) != 0) {
		refuse(courier, delivery, PARK_INVALID, &err);
	} else if (check_url(delivery->message->envelope.callback_url, origin, &err) != 0) {
		refuse(courier, delivery, PARK_REFUSED, &err);
	} else if (!park_disabled(courier, delivery) && posting_enter(&courier->posting, delivery, origin) != 0) {
		in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
	}
}

static void handle_arrival(struct courier *courier, struct delivery *delivery)
{
	struct in_hand *in_hand = &courier->in_hand;

	if (in_hand_is_lost(in_hand, delivery)) {
		delivery_free(delivery);
		return;
	}
	if (in_hand_adopt_tag(in_hand, delivery)) {
		metric_add(courier->meters->redelivered, 1);
		delivery_free(delivery);
		return;
	}
	in_hand_add(in_hand, delivery);
	if (courier->in_hand.closing) {
		in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
	} else if (!*delivery->message->envelope.callback_url) {
		metric_add(courier->meters->unwanted, 1);
		log_warning(&delivery->ctx, "reply without a callback URL in the callback queue");
		in_hand_settle(&courier->in_hand, delivery, AMQP_ACK);
	} else {
		admit(courier, delivery);
	}
}

void courier_read_mail(struct courier *courier)
{
	struct mail *next;

	for (struct mail *mail = mailbox_take(courier->box); mail; mail = next) {
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
			forwarding_take_outcome(&courier->forwarding, delivery);
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
	const struct endpoints *endpoints = courier->posting.endpoints;
	size_t held = endpoints_running(endpoints) + endpoints_waiting(endpoints);

	return held > courier->max_in_flight * 3 / 4;
}

void courier_shed(struct courier *courier, int64_t now_ms)
{
	struct delivery *delivery;

	while ((delivery = posting_shed(&courier->posting, now_ms, is_crowded(courier))))
		forwarding_send(&courier->forwarding, delivery);
}

void courier_tick(struct courier *courier, int64_t now_ms)
{
	const struct endpoints *endpoints = courier->posting.endpoints;
	struct meters *meters = courier->meters;
	unsigned stalled = forwarding_try_again(&courier->forwarding, now_ms);

	metric_set(meters->in_flight, (double)endpoints_running(endpoints));
	metric_set(meters->waiting, (double)endpoints_waiting(endpoints));
	metric_set(meters->stalled, stalled);
}

/* Gives back what is not under way; `only_lost`: of that, only what the broker has already. */
static void release_idle(struct courier *courier, bool only_lost)
{
	struct delivery *delivery = TAILQ_FIRST(&courier->in_hand.deliveries);

	while (delivery) {
		struct delivery *next = TAILQ_NEXT(delivery, in_hand);
		bool idle = delivery->state == DELIVERY_WAITING || delivery->state == DELIVERY_STALLED;

		if (idle && (in_hand_is_lost(&courier->in_hand, delivery) || !only_lost)) {
			posting_leave(&courier->posting, delivery);
			in_hand_settle(&courier->in_hand, delivery, AMQP_REQUEUE);
		}
		delivery = next;
	}
}

void courier_lose(struct courier *courier, uint64_t generation)
{
	if (generation <= courier->in_hand.lost)
		return;
	courier->in_hand.lost = generation;
	release_idle(courier, true);
}

void courier_close(struct courier *courier)
{
	courier->in_hand.closing = true;
	release_idle(courier, false);
}

void courier_hurry(struct courier *courier)
{
	courier->posting.hurrying = true;
}

bool courier_is_idle(const struct courier *courier)
{
	return TAILQ_EMPTY(&courier->in_hand.deliveries);
}

void courier_finish(struct courier *courier)
{
	struct delivery *delivery;
	struct mail *next;

	for (struct mail *mail = mailbox_take(courier->box); mail; mail = next) {
		next = mail->next;
		if (delivery_of_mail(mail)->news == DELIVERY_ARRIVED)
			delivery_free(delivery_of_mail(mail)); /* every other one is in hand */
	}
	while ((delivery = TAILQ_FIRST(&courier->in_hand.deliveries))) {
		if (delivery->place.endpoint)
			(void)!endpoints_leave(courier->posting.endpoints, &delivery->place);
		in_hand_drop(&courier->in_hand, delivery);
	}
	posting_finish(&courier->posting);
}
