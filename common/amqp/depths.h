#ifndef AMQP_DEPTHS_H
#define AMQP_DEPTHS_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/topology.h"
#include "amqp/url.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"

/** Rows that amqp_depths_read() gives at most. */
#define AMQP_DEPTHS_MOST 64

/** How a queue stands. */
struct amqp_depth {
	char queue[ENVELOPE_SHORT_SIZE];
	bool exists;
	uint32_t ready; /**< messages that wait; not those that a consumer has in hand, which AMQP does not tell */
	uint32_t consumers;
};

/**
 * Asks again and again how many messages wait in each queue of the topology, or of parts of it; declares none. A
 * connection of its own, opened when it is needed. One thread.
 */
struct amqp_depths;

/** `url` is copied; `parts` are enum topology_part. NULL when memory is out. */
struct amqp_depths *amqp_depths_new(const struct amqp_url *url, unsigned parts) must_check;

/**
 * Asks. `out` gets `count` rows, in the order of the topology, good until the next call. A queue that was not there is
 * looked for again only now and then, for the broker notes each miss in its log. Blocking, each answer for at most 2 s,
 * connecting for at most 5 s. 0, or the errno of `err` (connection); then the next call connects again.
 */
int amqp_depths_read(struct amqp_depths *depths, const struct amqp_depth **out, unsigned *count,
		     struct error *err) must_check;

/** NULL is fine. */
void amqp_depths_free(struct amqp_depths *depths);

#endif
