#ifndef CALLBACK_IN_HAND_H
#define CALLBACK_IN_HAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "amqp/link.h"
#include "delivery.h"

/*
 * The messages in hand: each from its arrival until it is settled, or until the connection that it came on is gone and
 * the broker has it again. One thread owns it.
 */

struct in_hand {
	struct amqp_link *consuming; /**< what settles them */
	TAILQ_HEAD(deliveries, delivery) deliveries;
	uint64_t lost; /**< deliveries up to this generation are the broker's again */
	bool closing;  /**< what is not under way goes back */
};

void in_hand_init(struct in_hand *in_hand, struct amqp_link *consuming);

/** Takes the delivery over. */
void in_hand_add(struct in_hand *in_hand, struct delivery *delivery);

/** Settles and frees a delivery that has left its endpoint. The link drops what it is told of a lost one. */
void in_hand_settle(struct in_hand *in_hand, struct delivery *delivery, enum amqp_settlement settlement);

/** Frees a delivery that has left its endpoint, unsettled. */
void in_hand_drop(struct in_hand *in_hand, struct delivery *delivery);

/** True if the broker has it again, and sends it once more. */
bool in_hand_is_lost(const struct in_hand *in_hand, const struct delivery *delivery);

/** True if `arrived` is the redelivery of one that is in hand; that one has its tag now. */
bool in_hand_adopt_tag(struct in_hand *in_hand, const struct delivery *arrived);

#endif
