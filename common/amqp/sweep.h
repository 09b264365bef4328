#ifndef AMQP_SWEEP_H
#define AMQP_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/message.h"
#include "amqp/url.h"
#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"

/** Looks at a message, which is gone afterwards. True: take it out of the queue. */
typedef bool amqp_sweep_fn(void *arg, const struct amqp_delivery *delivery);

struct amqp_sweep_counts {
	uint64_t seen;
	uint64_t removed;
};

/**
 * Looks once at every message that waits in a queue, oldest first, and takes some out. The others stay as they are, in
 * their places (which is why it cannot end early: what came back before is ahead of what comes back): they are held
 * until the end, without their bodies (8 bytes each), and given back then. Meanwhile nobody else gets them. When the
 * connection breaks the broker gives them back itself, in any order. A queue that is not there is empty. Over a
 * connection of its own; blocking, each answer of the broker for at most 10 s. Ends early, with what was held given
 * back behind the rest, on stop_requested() and when `ctx` (NULL: none) says so. 0; or the errno of `err` (connection,
 * or as context_check()), then `counts` says how far it came, and what was removed may be there again.
 */
int amqp_sweep(const struct context *ctx, const struct amqp_url *url, const char *queue, amqp_sweep_fn *fn, void *arg,
	       struct amqp_sweep_counts *counts, struct error *err) must_check;

#endif
