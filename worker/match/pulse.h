#ifndef MATCH_PULSE_H
#define MATCH_PULSE_H

#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "meters.h"
#include "roster.h"

/**
 * Tells the fleet how this worker does: every `interval_ms`, and when somebody asks. Sends from whichever thread calls
 * it, none of which computes, so a busy worker answers too.
 */
struct pulse;

struct pulse_settings {
	struct amqp_link *publisher;
	struct roster *roster;
	struct meters *meters;
	const char *worker;
	const char *model;
	unsigned threads;
	int64_t interval_ms;
};

/** NULL when memory is out. What the settings point to outlives the pulse. */
struct pulse *pulse_new(const struct pulse_settings *settings) must_check;

/** NULL is fine. */
void pulse_free(struct pulse *pulse);

/** Another interval from the next heartbeat on. Any thread. */
void pulse_set_interval(struct pulse *pulse, int64_t interval_ms);

/** Sends a heartbeat if one is due. Call it a few times a second. */
void pulse_tick(struct pulse *pulse);

/** Sends one now. Any thread. */
void pulse_send(struct pulse *pulse);

#endif
