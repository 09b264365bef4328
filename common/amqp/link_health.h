#ifndef AMQP_LINK_HEALTH_H
#define AMQP_LINK_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/link.h"

/*
 * What a program's health endpoints say of one of its links. `name` is the link's name in the sentence
 * ("consuming", "publishing"); where the answer is false, `why` (`why_size` bytes) gets the sentence, and
 * otherwise it stays as it is. `silence_ms` is how long a link may go without a sign.
 *
 * From any thread; neither blocks.
 */

/* Liveness: the link's own loop has turned within `silence_ms`, whatever the broker does. */
bool amqp_link_is_alive(struct amqp_link *link, const char *name, int64_t silence_ms, char *why, size_t why_size);

/* Readiness: connected, its consumer registered, and the broker heard from within `silence_ms`. */
bool amqp_link_is_ready(struct amqp_link *link, const char *name, int64_t silence_ms, char *why, size_t why_size);

#endif
