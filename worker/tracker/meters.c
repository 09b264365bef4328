#include "meters.h"

static const char *const kinds[] = {
    [MESSAGE_UNREADABLE] = "unreadable",
    [MESSAGE_EVENT] = "event",
    [MESSAGE_REPLY] = "reply",
    [MESSAGE_DELIVERY] = "delivery",
};
static const char *const outcomes[] = {
    [MESSAGE_ACCEPTED] = "accepted", [MESSAGE_REPEATED] = "repeated", [MESSAGE_PARKED] = "parked"};
static const double sizes[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

static void register_messages(struct meters *meters, struct metrics *registry)
{
	for (unsigned i = 0; i < MESSAGE_KIND_COUNT; i++) {
		for (unsigned j = 0; j < MESSAGE_OUTCOME_COUNT; j++) {
			/* What cannot be read is parked; whether a delivery was on record already nobody asks. */
			if ((i == MESSAGE_UNREADABLE && j != MESSAGE_PARKED) ||
			    (i == MESSAGE_DELIVERY && j == MESSAGE_REPEATED))
				continue;
			meters->messages[i][j] =
			    metrics_counter(registry, "facefleet_tracker_messages_total",
					    "Messages that are done with, by kind and outcome.",
					    (const char *const[]){"kind", kinds[i], "outcome", outcomes[j], NULL});
		}
	}
}

void meters_init(struct meters *meters, struct metrics *registry)
{
	register_messages(meters, registry);
	for (unsigned i = 0; i <= TASK_FINAL_FAILED; i++)
		meters->tasks[i] =
		    metrics_gauge(registry, "facefleet_tracker_tasks", "Tasks in the store, by state.",
				  (const char *const[]){"state", task_state_name((enum task_state)i), NULL});
	meters->batch_messages =
	    metrics_histogram(registry, "facefleet_tracker_batch_messages", "Messages recorded in one transaction.",
			      NULL, sizes, array_size(sizes));
	meters->apply_seconds =
	    metrics_histogram(registry, "facefleet_tracker_apply_seconds", "Duration of recording a batch.", NULL,
			      metrics_latency_bounds, metrics_latency_bound_count);
	meters->lag_seconds = metrics_gauge(registry, "facefleet_tracker_lag_seconds",
					    "Age of the newest change of the batch recorded last.", NULL);
	meters->in_hand =
	    metrics_gauge(registry, "facefleet_tracker_in_hand", "Messages received and not yet settled.", NULL);
	meters->store_up = metrics_gauge(registry, "facefleet_tracker_store_up",
					 "Whether the store did what it was last asked for.", NULL);
	meters->stuck = metrics_gauge(registry, "facefleet_tracker_stuck",
				      "Tasks that have been running for longer than tracker.lease_ms.", NULL);
	meters->closed = metrics_counter(registry, "facefleet_tracker_closed_total",
					 "Tasks said to have failed because nobody answered by the deadline.", NULL);
	meters->purged = metrics_counter(registry, "facefleet_tracker_purged_total",
					 "Finished tasks removed after tracker.keep_ms.", NULL);
}
