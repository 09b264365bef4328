#ifndef CLI_PARKED_H
#define CLI_PARKED_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/message.h"

/** Whose messages are looked for, and what could not be looked into. */
struct parked_search {
	const char *user_id;
	const char *collection; /**< NULL: of any */
	uint64_t unreadable;    /**< counted */
};

/**
 * True if the message is about that person: a job, or a reply on its way to a callback, with that user id, or a
 * reply that lists them among its candidates. Of a job that is no good the user id counts if it can be read, unless a
 * collection was asked for. An amqp_sweep_fn; `arg` is a struct parked_search.
 */
bool parked_is_about(void *arg, const struct amqp_delivery *delivery);

#endif
