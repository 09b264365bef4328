#ifndef GATEWAY_LATER_H
#define GATEWAY_LATER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"
#include "recent.h"
#include "store/schedules.h"
#include "store/store.h"

/*
 * Jobs that are to run later. One is a schedule of the store whose id is that of the task that it becomes: so a task
 * can be asked for and cancelled by its id before it runs.
 */

/** How far ahead a job may be sent: a year. */
#define LATER_MAX_MS (INT64_C(366) * 24 * 3600 * 1000)
/** How far in the past a time may be, which then means now: clocks differ, and requests take their time. */
#define LATER_GRACE_MS 60000

static inline bool later_is_wanted(const struct job_when *when)
{
	return when->has_delay || when->has_run_at;
}

/** When the job is due, in unix ms. -EBADMSG and `err` (invalid_job) names the field that is to blame. */
int later_due(const struct job_when *when, int64_t now_ms, int64_t *due_ms, struct error *err) must_check;

/** Schedules the encoded job (MessagePack) of a task; one that is scheduled already stays as it is. Blocking. */
int later_add(struct store *store, const struct recent_task *task, int64_t due_ms, const uint8_t *job, size_t job_size,
	      struct error *err) must_check;

/** The task that a schedule becomes, as far as it says: in no state yet. -EBADMSG and `err` for an unknown op. */
int later_fill_task(struct recent_task *task, const struct schedule *schedule, struct error *err) must_check;

/** What is known of a task that is scheduled. */
struct later_task {
	struct recent_task task; /**< in no state yet */
	int64_t due_ms;
};

/** Finds a task that is scheduled. Blocking. */
int later_find(struct store *store, const char *task_id, struct later_task *out, bool *found,
	       struct error *err) must_check;

#endif
