#ifndef MATCH_METERS_H
#define MATCH_METERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "job/reply.h"
#include "obs/metrics.h"
#include "task.h"

/** What the worker counts. One, shared by its threads; every function may be called from any. */
struct meters {
	struct metrics *registry;
	struct metric *stages[STAGE_COUNT];
	struct metric *in_hand;
	struct metric *requeued;
	struct metric *stale;
	struct metric *answered_again;
	struct metric *quarantined;
	struct metric *replies_refused;
	struct metric *events_dropped;
	atomic_uint_fast64_t finished;
};

/** Registers the worker's series. `registry` outlives the meters. */
void meters_init(struct meters *meters, struct metrics *registry);

/** Tasks answered so far. */
uint64_t meters_finished_count(struct meters *meters);

/** Counts and logs a finished attempt: its final state, or TASK_RETRYING; one line with every stage's time. */
void meters_finished(struct meters *meters, const struct task *task, enum task_state state);

#endif
