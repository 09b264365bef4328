#ifndef SCHEDULER_METERS_H
#define SCHEDULER_METERS_H

#include "obs/metrics.h"

/** How runs end, or go on. */
enum run_outcome {
	RUN_PUBLISHED,
	RUN_SKIPPED, /**< missed, by a schedule that skips those */
	RUN_RETRIED, /**< refused by a full lane, or the time was not right: tried again later */
	RUN_GONE,    /**< removed or moved between being due and being claimed or recorded */
	RUN_INVALID  /**< its job cannot be read or never be sent */
};
#define RUN_OUTCOME_COUNT (RUN_INVALID + 1)

/** What the scheduler counts. */
struct meters {
	struct metric *runs[RUN_OUTCOME_COUNT];
	struct metric *lag_seconds;
	struct metric *schedules;
	struct metric *in_memory;
	struct metric *in_hand;
	struct metric *is_leader;
	struct metric *store_errors;
};

/** Registers every series, so that they stand on the page from the start. */
void meters_init(struct meters *meters, struct metrics *registry);

#endif
