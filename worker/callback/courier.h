#ifndef CALLBACK_COURIER_H
#define CALLBACK_COURIER_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/mailbox.h"
#include "forwarding.h"
#include "in_hand.h"
#include "meters.h"
#include "posting.h"

/*
 * The life of the messages in hand: arrived → (waiting) → posting → delivered, or forwarded to a
 * retry queue or to the parked messages → settled. It decides which way a message goes; posting.h and
 * forwarding.h take it there. One thread owns it; what others have to say comes through the mailbox.
 */

/** What the courier works with; everything outlives it. */
struct courier_tools {
	struct mailbox *box;
	struct amqp_link *consuming;
	struct amqp_link *publishing;
	struct meters *meters;
	unsigned max_in_flight; /**< the prefetch */
	struct posting_tools posting;
};

struct courier {
	struct mailbox *box;
	struct meters *meters;
	unsigned max_in_flight;
	struct in_hand in_hand;
	struct posting posting;
	struct forwarding forwarding;
};

/** Returns 0 or -ENOMEM. */
int courier_init(struct courier *courier, const struct courier_tools *tools) must_check;

/** Frees what is left in hand, unsettled. The HTTP client and both links are gone by then. */
void courier_finish(struct courier *courier);

/** Other limits from now on; what is under way keeps its time. */
void courier_set_limits(struct courier *courier, unsigned max_per_endpoint, int64_t timeout_ms);

/** Handles all mail. */
void courier_read_mail(struct courier *courier);

/**
 * When most of the prefetch is in hand, sends away what waits for slow endpoints beyond a short
 * line, so that others get through. Whoever has waited for ENDPOINT_LONGEST_MS is sent away in any case.
 */
void courier_shed(struct courier *courier, int64_t now_ms);

/** Does what is due by now: forwards again what stalled, shows the gauges. */
void courier_tick(struct courier *courier, int64_t now_ms);

/**
 * Says that the consuming connection of this generation is gone. What was not begun is dropped, for
 * the broker sends it again; what is under way goes on, and takes over the tag of its redelivery.
 */
void courier_lose(struct courier *courier, uint64_t generation);

/** From now on everything that is not under way goes back to the queue, and nothing new is posted. */
void courier_close(struct courier *courier);

/** The HTTP client is about to end: from now on what is posted goes back to the queue, unless it was delivered. */
void courier_hurry(struct courier *courier);

/** True when nothing is in hand. */
bool courier_is_idle(const struct courier *courier);

#endif
