#ifndef CALLBACK_REPORT_H
#define CALLBACK_REPORT_H

#include <stdbool.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "delivery.h"
#include "meters.h"

/**
 * Publishes, for the task's history, what the verdict makes of a callback now, and how the attempt went that it was
 * reached by, if one was `attempted`. `done` is called with the outcome, on the link's thread. False when nothing was
 * published, and `done` is not called: that is counted, unless the message names no task and so has no history.
 */
bool report_send(struct amqp_link *publishing, struct meters *meters, const struct delivery *delivery, bool attempted,
		 amqp_outcome_fn *done, void *arg) must_check;

/** A `done` that only counts a report that was not taken; `arg` is the meters. Any thread. */
void report_note(void *arg, enum amqp_outcome outcome, const struct amqp_message *message);

#endif
