#ifndef MATCH_LANES_H
#define MATCH_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "job/scene.h"
#include "obs/metrics.h"

/**
 * Which lanes are consumed, and with how much prefetch: all that the settings give them; the batch lane less while
 * realtime jobs wait too long; none of them while replies are refused. Jobs that are in hand stay there. Any thread.
 */
struct lanes;

struct lanes_settings {
	/** Its consumers are numbered like the lanes, and start with the prefetch given here. Outlives the lanes. */
	struct amqp_link *link;
	uint16_t prefetch[LANE_COUNT];   /**< ≥ 1 */
	int64_t realtime_wait_target_ms; /**< 0: the batch lane never yields */
	struct metrics *metrics;
};

/** NULL when memory is out. */
struct lanes *lanes_new(const struct lanes_settings *settings) must_check;

/** NULL is fine. */
void lanes_free(struct lanes *lanes);

/** A job of the lane waited so long until its computing began. */
void lanes_observe(struct lanes *lanes, enum lane lane, double wait_ms);

/** Lets the batch lane yield or return; call it about ten times a second. */
void lanes_tick(struct lanes *lanes);

/** Consumes nothing while `held`. */
void lanes_hold(struct lanes *lanes, bool held);

/** Changes a lane's prefetch (≥ 1) from now on. */
void lanes_set_prefetch(struct lanes *lanes, enum lane lane, uint16_t prefetch);

/** Changes the wait from which on the batch lane yields; 0: it returns, and yields no more. */
void lanes_set_wait_target(struct lanes *lanes, int64_t realtime_wait_target_ms);

/** Touches the consumers no more: the link is about to be drained. */
void lanes_leave(struct lanes *lanes);

/** True while realtime jobs wait too long although no batch job is taken: what is optional is to be left out. */
bool lanes_degraded(const struct lanes *lanes);

#endif
