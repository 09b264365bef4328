#include "meters.h"

#include "obs/log.h"

void meters_init(struct meters *meters, struct metrics *registry)
{
	meters->registry = registry;
	for (int i = 0; i < STAGE_COUNT; i++) {
		const char *labels[] = {"stage", stage_name((enum stage)i), NULL};
		meters->stages[i] =
		    metrics_histogram(registry, "facefleet_stage_duration_seconds", "Time tasks spent in each stage.",
				      labels, metrics_latency_bounds, metrics_latency_bound_count);
	}
	meters->in_hand =
	    metrics_gauge(registry, "facefleet_worker_tasks_in_hand", "Deliveries not yet settled.", NULL);
	meters->requeued = metrics_counter(registry, "facefleet_worker_requeued_total",
					   "Tasks given back to the queue at shutdown.", NULL);
	meters->stale = metrics_counter(registry, "facefleet_worker_stale_total",
					"Tasks dropped because their connection was lost before they ran.", NULL);
	meters->answered_again =
	    metrics_counter(registry, "facefleet_worker_answered_again_total",
			    "Jobs that came again after their end and were answered from the store.", NULL);
	meters->quarantined =
	    metrics_counter(registry, "facefleet_worker_quarantined_total",
			    "Suspect jobs whose photographs were looked at in a process of their own.", NULL);
	meters->replies_refused = metrics_counter(registry, "facefleet_worker_replies_refused_total",
						  "Replies the broker refused and that were published again.", NULL);
	meters->events_dropped = metrics_counter(registry, "facefleet_worker_events_dropped_total",
						 "Events left out because the publishing backlog was full.", NULL);
}

uint64_t meters_finished_count(struct meters *meters)
{
	return atomic_load(&meters->finished);
}

static void count(struct meters *meters, const struct task *task, enum task_state state)
{
	const char *labels[] = {"lane", lane_name(task->lane), "state", task_state_name(state), NULL};

	metric_add(
	    metrics_counter(meters->registry, "facefleet_worker_tasks_total", "Attempts by how they ended.", labels),
	    1);
	if (state != TASK_RETRYING)
		atomic_fetch_add(&meters->finished, 1);
	if (state != TASK_SUCCEEDED) {
		const char *code[] = {"code", error_code_name(task->reply.error.code), NULL};
		metric_add(metrics_counter(meters->registry, "facefleet_worker_errors_total",
					   "Attempts that failed, by error code.", code),
			   1);
	}
	for (int i = 0; i < STAGE_COUNT; i++)
		if (task->reply.timings.ms[i] >= 0)
			metric_observe(meters->stages[i], task->reply.timings.ms[i] / 1000);
}

/* A stage that did not run has no name, and so ends the list early: sort those that ran to the front. */
static void add_stages(struct log_field *fields, int at, const struct timings *timings)
{
	static const char *const keys[STAGE_COUNT] = {
	    [STAGE_QUEUE] = "queue_ms",     [STAGE_FETCH] = "fetch_ms", [STAGE_DECODE] = "decode_ms",
	    [STAGE_DETECT] = "detect_ms",   [STAGE_ALIGN] = "align_ms", [STAGE_EMBED] = "embed_ms",
	    [STAGE_COMPARE] = "compare_ms", [STAGE_TOTAL] = "total_ms"};

	for (int i = 0; i < STAGE_COUNT; i++)
		if (timings->ms[i] >= 0)
			fields[at++] = log_number(keys[i], timings->ms[i]);
	fields[at] = (struct log_field){0};
}

void meters_finished(struct meters *meters, const struct task *task, enum task_state state)
{
	const struct reply *reply = &task->reply;
	struct log_field fields[8 + STAGE_COUNT];
	int n = 0;

	count(meters, task, state);
	enum log_level level = state == TASK_SUCCEEDED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	if (!log_enabled(level))
		return;
	fields[n++] = log_string("state", task_state_name(state));
	fields[n++] = log_integer("attempt", task->attempt);
	if (reply->reference[0])
		fields[n++] = log_string("reference", reply->reference);
	if (state == TASK_SUCCEEDED) {
		fields[n++] = log_boolean("matched", reply->result.matched);
		fields[n++] = log_number("similarity", reply->result.similarity);
	} else {
		fields[n++] = log_string("code", error_code_name(reply->error.code));
		fields[n++] = log_string("error", reply->error.text);
	}
	add_stages(fields, n, &reply->timings);
	log_write(level, &task->ctx, "task finished", fields);
}
