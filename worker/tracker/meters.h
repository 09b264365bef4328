#ifndef TRACKER_METERS_H
#define TRACKER_METERS_H

#include "job/reply.h"
#include "obs/metrics.h"

enum message_kind { MESSAGE_UNREADABLE, MESSAGE_EVENT, MESSAGE_REPLY, MESSAGE_DELIVERY };
#define MESSAGE_KIND_COUNT (MESSAGE_DELIVERY + 1)

enum message_outcome {
	MESSAGE_ACCEPTED, /**< the task moved on; a delivery is on record, perhaps from before */
	MESSAGE_REPEATED, /**< it had been there already, or further */
	MESSAGE_PARKED
};
#define MESSAGE_OUTCOME_COUNT (MESSAGE_PARKED + 1)

/** What the tracker counts. */
struct meters {
	struct metric *messages[MESSAGE_KIND_COUNT][MESSAGE_OUTCOME_COUNT];
	struct metric *batch_messages;
	struct metric *apply_seconds;
	struct metric *lag_seconds;
	struct metric *in_hand;
	struct metric *store_up;
	struct metric *tasks[TASK_FINAL_FAILED + 1];
	struct metric *stuck;
	struct metric *closed;
	struct metric *purged;
};

/** Registers every series, so that they stand on the page from the start. */
void meters_init(struct meters *meters, struct metrics *registry);

#endif
