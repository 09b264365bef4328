#ifndef CLI_JOB_MESSAGE_H
#define CLI_JOB_MESSAGE_H

#include <stdint.h>

#include "amqp/message.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"

/**
 * Encodes `job` (MessagePack) as a message to the lane of its scene, with a new task id
 * (envelope.message_id) and a new trace. Returns 0, or a negative errno with `err` (`invalid_job`,
 * also for an unknown scene; `image_too_large` above JOB_MAX_ENCODED_BYTES). Before it is sent it wants
 * job_message_accept().
 */
int job_message_new(struct amqp_message **out, const struct job *job, struct error *err) must_check;

/**
 * Counts a message as accepted at this moment: the deadline of its job's scene runs from now.
 * `reply_to` is the queue that wants the reply, "" for none.
 */
void job_message_accept(struct amqp_message *message, const char *scene, const char *reply_to);

/** How long after its acceptance a task of this scene can still be answered, in ms. */
int64_t job_message_patience_ms(const char *scene);

#endif
