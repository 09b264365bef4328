#ifndef AMQP_SETTLER_H
#define AMQP_SETTLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/link.h"

/** A wish to settle one delivery. */
struct settlement {
	uint64_t delivery;
	enum amqp_settlement how;
};

/** How settlements reach the broker; fakes in the tests. Both return 0 or a negative errno. */
struct settler_ops {
	int (*ack)(void *arg, uint64_t delivery, bool multiple);
	int (*nack)(void *arg, uint64_t delivery, bool requeue);
};

/**
 * Knows which deliveries of a channel are open, so that a run of acknowledgements becomes one
 * frame, and that nothing is settled twice (which would close the channel). Used by the link's
 * thread only. One byte for each delivery since the oldest open one.
 */
struct settler {
	const struct settler_ops *ops;
	void *arg;
	uint8_t *states; /**< of delivery `first` + i, at index i */
	size_t count;
	size_t capacity;
	uint64_t first;
};

void settler_init(struct settler *s, const struct settler_ops *ops, void *arg);
void settler_finish(struct settler *s);

/** A delivery came in; tags rise one by one on a channel. Returns 0, -EPROTO or -ENOMEM. */
int settler_delivered(struct settler *s, uint64_t delivery) must_check;

/** Settles what is open of `wishes`. 0 or the error of the ops. */
int settler_apply(struct settler *s, const struct settlement *wishes, size_t count) must_check;

/** A new channel: nothing is open. */
void settler_reset(struct settler *s);

#endif
