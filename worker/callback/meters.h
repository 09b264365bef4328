#ifndef CALLBACK_METERS_H
#define CALLBACK_METERS_H

#include "obs/metrics.h"
#include "verdict.h"

/** What the callback service counts. */
struct meters {
	struct metric *attempts[ANSWER_KIND_COUNT];
	struct metric *attempt_seconds;
	struct metric *delivery_seconds; /**< from the task's end to its delivery */
	struct metric *parked[PARK_CAUSE_COUNT];
	struct metric *retried;
	struct metric *deferred;
	struct metric *redelivered;
	struct metric *unwanted;
	struct metric *unreported;
	struct metric *in_flight;
	struct metric *waiting;
	struct metric *stalled;
};

/** Registers every series, so that they stand on the page from the start. */
void meters_init(struct meters *meters, struct metrics *registry);

/** Counts one attempt. */
void meters_attempt(struct meters *meters, const struct answer *answer);

#endif
