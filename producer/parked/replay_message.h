#ifndef PARKED_REPLAY_MESSAGE_H
#define PARKED_REPLAY_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/message.h"
#include "base/compiler.h"
#include "base/error.h"

/**
 * What a parked message is sent as so that it is worked on again: a job to the lane of its scene, as its first attempt
 * and accepted at `now_ms`; a callback, or what the tracker could not record, to the queue it came from. Nothing of its
 * death stays. A job gets a new task id unless `same_id`, and keeps its owner. Refused (`invalid_job`): what is
 * neither, and a job that cannot be read, which would only come back. 0, or a negative errno with `err`.
 */
int replay_message_new(struct amqp_message **out, const struct amqp_delivery *parked, bool same_id, int64_t now_ms,
		       struct error *err) must_check;

#endif
