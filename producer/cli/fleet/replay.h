#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/message.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"

/**
 * What a parked message is sent as so that it is worked on again: a job to the lane of its scene, as its first attempt
 * and accepted at `now_ms`; a callback, or what the tracker could not record, to the queue it came from. Nothing of its
 * death stays. A job gets a new task id unless `same_id`. Refused (`invalid_job`): what is neither, and a job that
 * cannot be read, which would only come back. 0, or a negative errno with `err`.
 */
int replay_message_new(struct amqp_message **out, const struct amqp_delivery *parked, bool same_id, int64_t now_ms,
		       struct error *err) must_check;

/** Sends parked messages again, over a connection of its own. One thread. */
struct replay;

int replay_open(struct replay **out, const struct config *config, bool same_id, int64_t timeout_ms,
		struct error *err) must_check;

/**
 * Sends one, and waits (10 s at most) until the broker has it: then its parked copy may go. `id` gets the id it has
 * now. 0; or a negative errno with `err`: refused as above, or not taken (`connection`; it may be there all the same).
 */
int replay_send(struct replay *replay, const struct amqp_delivery *parked, char id[ENVELOPE_SHORT_SIZE],
		struct error *err) must_check;

/** Says on standard output what became of a message. */
void replay_print(const char *old_id, const char *id);

/** True for the id of something that was sent by replay_send(): it has come back. */
bool replay_has_sent(const struct replay *replay, const char *id);

/** NULL is fine. */
void replay_free(struct replay *replay);

#endif
