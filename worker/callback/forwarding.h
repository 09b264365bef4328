#ifndef CALLBACK_FORWARDING_H
#define CALLBACK_FORWARDING_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "delivery.h"
#include "in_hand.h"
#include "meters.h"

/*
 * How a verdict is carried out: the copy to a retry queue or to the parked messages, the report for the task's history,
 * and the ack when the broker has what matters. One thread owns it; outcomes come through the mailbox. A delivery that
 * is handed to any of these has left its endpoint, and may be settled before they return.
 */

/** Everything outlives it. */
struct forwarding {
	struct in_hand *in_hand;
	struct amqp_link *publishing;
	struct meters *meters;
};

/** Forwards a copy. What the broker does not take is kept, see forwarding_try_again(). */
void forwarding_send(struct forwarding *forwarding, struct delivery *delivery);

/** The same, with a report ahead of it; `attempted`: an attempt was made. No callback depends on its report. */
void forwarding_report_and_send(struct forwarding *forwarding, struct delivery *delivery, bool attempted);

/** Of a delivered one: reports and acks it. */
void forwarding_report_and_ack(struct forwarding *forwarding, struct delivery *delivery);

/** Handles what the broker said to a copy, or to the report of a delivered one (DELIVERY_PUBLISHED). */
void forwarding_take_outcome(struct forwarding *forwarding, struct delivery *delivery);

/** Forwards again what is due by now of what is kept. Returns how many are kept or were. */
unsigned forwarding_try_again(struct forwarding *forwarding, int64_t now_ms);

#endif
