#ifndef SCHEDULER_SCHEDULE_REQUEST_H
#define SCHEDULER_SCHEDULE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/job.h"
#include "store/schedules.h"

/** Longest name of a schedule, in bytes. */
#define SCHEDULE_REQUEST_MAX_NAME_BYTES 128

/** When somebody wants a job done, as they said it in the shell or over HTTP. Strings are borrowed; NULL: not said. */
struct schedule_request {
	const char *name;
	bool has_at;
	int64_t at_ms; /**< unix ms */
	bool has_in;
	int64_t in_ms; /**< from now */
	bool has_every;
	int64_t every_ms;
	const char *cron;
	const char *time_zone;
	bool has_misfire;
	enum misfire misfire;
};

/** What they call each part ("--every", "every_ms"): an error begins with the one that is to blame. */
struct schedule_request_names {
	const char *name;
	const char *at;
	const char *in;
	const char *every;
	const char *cron;
	const char *time_zone;
	const char *misfire;
};

/**
 * Checks a request and fills name, cron, time_zone, every_ms, misfire, due_ms and created_at_ms of `out`, whose strings
 * are those of the request. 0; or a negative errno with `err` (config). Blocking: reads the zone's file.
 */
int schedule_request_check(const struct schedule_request *request, const struct schedule_request_names *names,
			   int64_t now_ms, struct schedule *out, struct error *err) must_check;

/**
 * Encodes the job into `encoded`, which is empty, and fills job, op, scene, user_id and collection of `out`: the
 * strings are the job's, the bytes those of `encoded`. 0; or a negative errno with `err`, as job_encode().
 */
int schedule_request_encode(const struct job *job, struct buffer *encoded, struct schedule *out,
			    struct error *err) must_check;

#endif
