#include "meters.h"

#include "base/compiler.h"

static struct metric *labelled(struct metrics *registry, const char *name, const char *help, const char *key,
			       const char *value)
{
	return metrics_counter(registry, name, help, (const char *const[]){key, value, NULL});
}

void meters_init(struct meters *meters, struct metrics *registry)
{
	for (unsigned i = 0; i < ANSWER_KIND_COUNT; i++)
		meters->attempts[i] =
		    labelled(registry, "facefleet_callback_attempts_total",
			     "Attempts to deliver a callback, by how they ended.", "outcome", answer_kind_name(i));
	for (unsigned i = 0; i < PARK_CAUSE_COUNT; i++)
		meters->parked[i] = labelled(registry, "facefleet_callback_parked_total",
					     "Callbacks given up and parked, by cause.", "cause", park_cause_name(i));
	meters->attempt_seconds = metrics_histogram(registry, "facefleet_callback_attempt_seconds",
						    "Duration of an attempt to deliver a callback.", NULL,
						    metrics_latency_bounds, metrics_latency_bound_count);
	meters->delivery_seconds = metrics_histogram(registry, "facefleet_callback_delivery_seconds",
						     "From the end of a task to the delivery of its callback.", NULL,
						     metrics_latency_bounds, metrics_latency_bound_count);
	meters->retried = metrics_counter(registry, "facefleet_callback_retried_total",
					  "Callbacks sent to a retry queue after a failed attempt.", NULL);
	meters->deferred = metrics_counter(registry, "facefleet_callback_deferred_total",
					   "Callbacks sent to a retry queue untried, their endpoint being slow.", NULL);
	meters->redelivered =
	    metrics_counter(registry, "facefleet_callback_redelivered_total",
			    "Callbacks that a new connection brought again while they were under way.", NULL);
	meters->unwanted = metrics_counter(registry, "facefleet_callback_unwanted_total",
					   "Replies that came to the callback queue without a callback URL.", NULL);
	meters->unreported = metrics_counter(registry, "facefleet_callback_unreported_total",
					     "Reports of deliveries that the broker did not take.", NULL);
	meters->in_flight =
	    metrics_gauge(registry, "facefleet_callback_in_flight", "Callbacks being posted at this moment.", NULL);
	meters->waiting = metrics_gauge(registry, "facefleet_callback_waiting",
					"Callbacks waiting for their turn at an endpoint.", NULL);
	meters->stalled = metrics_gauge(registry, "facefleet_callback_stalled",
					"Callbacks that the broker refused to take for a retry or for parking.", NULL);
}

void meters_attempt(struct meters *meters, const struct answer *answer)
{
	metric_add(meters->attempts[answer_kind(answer)], 1);
	metric_observe(meters->attempt_seconds, answer->elapsed_ms / 1000);
}
