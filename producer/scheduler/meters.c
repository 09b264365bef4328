#include "meters.h"

#include <stddef.h>

static const char *const outcome_names[] = {
    [RUN_PUBLISHED] = "published", [RUN_SKIPPED] = "skipped", [RUN_RETRIED] = "retried",
    [RUN_GONE] = "gone",           [RUN_INVALID] = "invalid",
};

void meters_init(struct meters *meters, struct metrics *registry)
{
	for (unsigned i = 0; i < RUN_OUTCOME_COUNT; i++)
		meters->runs[i] =
		    metrics_counter(registry, "facefleet_scheduler_runs_total", "Runs of schedules, by outcome.",
				    (const char *const[]){"outcome", outcome_names[i], NULL});
	meters->lag_seconds = metrics_histogram(registry, "facefleet_scheduler_due_lag_seconds",
						"From when a run was due until the broker had its job.", NULL,
						metrics_latency_bounds, metrics_latency_bound_count);
	meters->schedules = metrics_gauge(registry, "facefleet_scheduler_schedules",
					  "Schedules in the store, as of the last minute.", NULL);
	meters->in_memory = metrics_gauge(registry, "facefleet_scheduler_window", "Schedules in memory.", NULL);
	meters->in_hand =
	    metrics_gauge(registry, "facefleet_scheduler_in_hand", "Runs that are claimed and not recorded.", NULL);
	meters->is_leader = metrics_gauge(registry, "facefleet_scheduler_is_leader",
					  "1 when this scheduler is the one that acts.", NULL);
	meters->store_errors = metrics_counter(registry, "facefleet_scheduler_store_errors_total",
					       "Calls of the store that failed.", NULL);
}
