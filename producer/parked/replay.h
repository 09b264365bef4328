#ifndef PARKED_REPLAY_H
#define PARKED_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/** Sends parked messages again, over a connection of its own. One thread. */
struct replay;

/** Connects, for `timeout_ms` at most. 0, or a negative errno with `err`. */
int replay_open(struct replay **out, const struct config *config, int64_t timeout_ms, struct error *err) must_check;

/**
 * Publishes a message, which is taken over, and waits (10 s at most) for what becomes of it. AMQP_CONFIRMED: the broker
 * has it, its parked copy may go. AMQP_ABANDONED: it is not known; then that is the answer for all that follow, which
 * are not sent.
 */
enum amqp_outcome replay_publish(struct replay *replay, struct amqp_message *message) must_check;

/**
 * Makes the message of a parked one, as replay_message_new(), and publishes it. `id` gets the id it has now. 0: the
 * parked copy may go; or a negative errno with `err`: refused as there, or not taken (`connection`; it may be there all
 * the same).
 */
int replay_send(struct replay *replay, const struct amqp_delivery *parked, bool same_id, char id[ENVELOPE_SHORT_SIZE],
		struct error *err) must_check;

/** NULL is fine. */
void replay_free(struct replay *replay);

#endif
