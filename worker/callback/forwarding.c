#include "forwarding.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "obs/log.h"
#include "report.h"

/* How often a message that the broker refused is offered again, and for how long: far below its consumer_timeout. */
#define FORWARD_PAUSE_MS 1000
#define FORWARD_PATIENCE_MS (10 * 60 * 1000)

/* --- copies ----------------------------------------------------------------------------------- */

/* On the publishing link's thread. */
static void post_outcome(void *arg, enum amqp_outcome outcome, const struct amqp_message *message)
{
	struct delivery *delivery = arg;

	(void)message;
	delivery->published = outcome;
	delivery_tell(delivery, DELIVERY_PUBLISHED);
}

static void stall(struct forwarding *forwarding, struct delivery *delivery, const char *why)
{
	int64_t now_ms = clock_monotonic_ms();

	if (delivery->stalled_since_ms == 0) {
		delivery->stalled_since_ms = now_ms;
		log_warning(&delivery->ctx, "callback kept in hand: the broker does not take it",
			    log_string("why", why), log_string("url", delivery->url));
	}
	delivery->state = DELIVERY_STALLED;
	delivery->forward_at_ms = now_ms + FORWARD_PAUSE_MS;
	if (forwarding->in_hand->closing || now_ms - delivery->stalled_since_ms >= FORWARD_PATIENCE_MS)
		in_hand_settle(forwarding->in_hand, delivery, AMQP_REQUEUE);
}

void forwarding_send(struct forwarding *forwarding, struct delivery *delivery)
{
	struct amqp_message *message = delivery_forward(delivery);

	buffer_finish(&delivery->payload);
	if (!message) {
		stall(forwarding, delivery, "out of memory");
		return;
	}
	delivery->state = DELIVERY_FORWARDING;
	int r = amqp_link_publish(forwarding->publishing, message, post_outcome, delivery);
	if (r == -EMSGSIZE) {
		/* No queue takes it: it came from elsewhere. Handed on as it is, it would come back for ever. */
		log_error(&delivery->ctx, "callback dropped: the message is too large to be published again",
			  log_integer("bytes", (int64_t)delivery->message->body_size));
		in_hand_settle(forwarding->in_hand, delivery, AMQP_DEAD_LETTER);
	} else if (r != 0) {
		stall(forwarding, delivery, strerror(-r));
	}
}

unsigned forwarding_try_again(struct forwarding *forwarding, int64_t now_ms)
{
	struct delivery *delivery = TAILQ_FIRST(&forwarding->in_hand->deliveries);
	unsigned stalled = 0;

	while (delivery) {
		struct delivery *next = TAILQ_NEXT(delivery, in_hand);

		if (delivery->state == DELIVERY_STALLED) {
			stalled++;
			if (now_ms >= delivery->forward_at_ms)
				forwarding_send(forwarding, delivery);
		}
		delivery = next;
	}
	return stalled;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* Ahead of the copy on one channel: the broker has had it when it confirms the copy, and the ack waits for that. */
void forwarding_report_and_send(struct forwarding *forwarding, struct delivery *delivery, bool attempted)
{
	struct meters *meters = forwarding->meters;

	(void)!report_send(forwarding->publishing, meters, delivery, attempted, report_note, meters);
	forwarding_send(forwarding, delivery);
}

/* There is no copy: the ack waits for the report, if it can be sent, as it would wait for a copy. */
void forwarding_report_and_ack(struct forwarding *forwarding, struct delivery *delivery)
{
	delivery->state = DELIVERY_FORWARDING;
	if (!report_send(forwarding->publishing, forwarding->meters, delivery, true, post_outcome, delivery))
		in_hand_settle(forwarding->in_hand, delivery, AMQP_ACK);
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void count_forwarded(struct meters *meters, const struct verdict *verdict)
{
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

void forwarding_take_outcome(struct forwarding *forwarding, struct delivery *delivery)
{
	if (delivery->verdict.what == VERDICT_DELIVERED) {
		/* Taken or not, the endpoint has the callback. */
		report_note(forwarding->meters, delivery->published, NULL);
		in_hand_settle(forwarding->in_hand, delivery, AMQP_ACK);
		return;
	}
	switch (delivery->published) {
	case AMQP_CONFIRMED:
		count_forwarded(forwarding->meters, &delivery->verdict);
		in_hand_settle(forwarding->in_hand, delivery, AMQP_ACK);
		break;
	case AMQP_RETURNED:
		stall(forwarding, delivery, "its queue does not exist");
		break;
	case AMQP_NACKED:
		stall(forwarding, delivery, "its queue refused it");
		break;
	case AMQP_ABANDONED:
		in_hand_settle(forwarding->in_hand, delivery, AMQP_REQUEUE);
		break;
	}
}
