#include "in_hand.h"

#include <string.h>

void in_hand_init(struct in_hand *in_hand, struct amqp_link *consuming)
{
	*in_hand = (struct in_hand){.consuming = consuming};
	TAILQ_INIT(&in_hand->deliveries);
}

void in_hand_add(struct in_hand *in_hand, struct delivery *delivery)
{
	TAILQ_INSERT_TAIL(&in_hand->deliveries, delivery, in_hand);
}

void in_hand_drop(struct in_hand *in_hand, struct delivery *delivery)
{
	TAILQ_REMOVE(&in_hand->deliveries, delivery, in_hand);
	delivery_free(delivery);
}

void in_hand_settle(struct in_hand *in_hand, struct delivery *delivery, enum amqp_settlement settlement)
{
	amqp_link_settle(in_hand->consuming, delivery->message->tag, settlement);
	in_hand_drop(in_hand, delivery);
}

bool in_hand_is_lost(const struct in_hand *in_hand, const struct delivery *delivery)
{
	return delivery->message->tag.generation <= in_hand->lost;
}

static bool is_same(const struct amqp_delivery *a, const struct amqp_delivery *b)
{
	return a->envelope.attempt == b->envelope.attempt &&
	       strcmp(a->envelope.message_id, b->envelope.message_id) == 0 &&
	       strcmp(a->envelope.callback_url, b->envelope.callback_url) == 0;
}

bool in_hand_adopt_tag(struct in_hand *in_hand, const struct delivery *arrived)
{
	struct delivery *known;

	if (!arrived->message->redelivered || !*arrived->message->envelope.message_id)
		return false;
	TAILQ_FOREACH(known, &in_hand->deliveries, in_hand)
	{
		if (known->message->tag.generation < arrived->message->tag.generation &&
		    is_same(known->message, arrived->message)) {
			known->message->tag = arrived->message->tag;
			return true;
		}
	}
	return false;
}
