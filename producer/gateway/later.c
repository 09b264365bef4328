#include "later.h"

#include <stdio.h>
#include <string.h>

int later_due(const struct job_when *when, int64_t now_ms, int64_t *due_ms, struct error *err)
{
	if (when->has_delay && when->has_run_at)
		return error_set(err, ERROR_INVALID_JOB, "run_at: there is delay_ms too");
	if (when->has_delay && when->delay_ms > LATER_MAX_MS)
		return error_set(err, ERROR_INVALID_JOB, "delay_ms: is more than a year");
	if (when->has_run_at && when->run_at_ms < now_ms - LATER_GRACE_MS)
		return error_set(err, ERROR_INVALID_JOB, "run_at: is in the past");
	if (when->has_run_at && when->run_at_ms > now_ms + LATER_MAX_MS)
		return error_set(err, ERROR_INVALID_JOB, "run_at: is more than a year away");
	*due_ms = when->has_delay ? now_ms + when->delay_ms : when->run_at_ms;
	return 0;
}

int later_add(struct store *store, const struct recent_task *task, int64_t due_ms, const uint8_t *job, size_t job_size,
	      struct error *err)
{
	struct schedule schedule = {
	    .name = "",
	    .owner = task->owner,
	    .op = job_op_name(task->op),
	    .scene = task->scene,
	    .user_id = task->user_id,
	    .collection = task->op == JOB_MATCH ? "" : task->collection,
	    .cron = "",
	    .time_zone = "",
	    .misfire = MISFIRE_RUN_ONCE,
	    .due_ms = due_ms,
	    .job = job,
	    .job_size = job_size,
	    .created_at_ms = task->accepted_at_ms,
	};
	bool inserted;

	memcpy(schedule.schedule_id, task->task_id, UUID_SIZE);
	memcpy(schedule.task_id, task->task_id, UUID_SIZE);
	return schedules_add(store, &schedule, &inserted, err);
}

/* The one thing that is shown of a task and has no column of its own. */
static void fill_reference(struct recent_task *task, const struct schedule *schedule)
{
	struct error ignored;
	struct job job;

	if (!schedule->job)
		return;
	if (job_decode(&job, ENCODING_MSGPACK, schedule->job, schedule->job_size, &ignored) == 0)
		snprintf(task->reference, sizeof(task->reference), "%s", job.reference);
	job_finish(&job); /* after a refusal too */
}

int later_fill_task(struct recent_task *task, const struct schedule *schedule, struct error *err)
{
	*task = (struct recent_task){.state = TASK_PENDING, .attempt = 1};
	if (job_op_from_name(schedule->op, &task->op) < 0)
		return error_set(err, ERROR_INTERNAL, "a schedule for the unknown job %s", schedule->op);
	memcpy(task->task_id, schedule->task_id, UUID_SIZE);
	snprintf(task->owner, sizeof(task->owner), "%s", schedule->owner);
	snprintf(task->scene, sizeof(task->scene), "%s", schedule->scene);
	snprintf(task->user_id, sizeof(task->user_id), "%s", schedule->user_id);
	snprintf(task->collection, sizeof(task->collection), "%s", schedule->collection);
	task->accepted_at_ms = schedule->created_at_ms;
	task->updated_at_ms = schedule->created_at_ms;
	fill_reference(task, schedule);
	return 0;
}

struct search {
	struct later_task *out;
	bool found;
};

static int take_schedule(void *arg, const struct schedule *schedule, struct error *err)
{
	struct search *search = arg;

	/* Others have an id that is no task's. */
	search->found = strcmp(schedule->task_id, schedule->schedule_id) == 0;
	*search->out = (struct later_task){.due_ms = schedule->due_ms};
	return later_fill_task(&search->out->task, schedule, err);
}

int later_find(struct store *store, const char *task_id, struct later_task *out, bool *found, struct error *err)
{
	struct search search = {.out = out};
	bool there;
	int r = schedules_find(store, task_id, take_schedule, &search, &there, err);

	*found = r == 0 && there && search.found;
	return r;
}
