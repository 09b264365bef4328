#include "schedule_request.h"

#include <string.h>

#include "base/utf8.h"
#include "plan.h"
#include "time_zone.h"

/* One way, and nothing that means nothing to it. */
static int check_way(const struct schedule_request *request, const struct schedule_request_names *names,
		     struct error *err)
{
	bool by_cron = request->cron != NULL;

	if (request->has_at + request->has_in + request->has_every + by_cron != 1)
		return error_set(err, ERROR_CONFIG, "one of %s, %s, %s and %s must be given", names->at, names->in,
				 names->every, names->cron);
	if (request->time_zone && !by_cron)
		return error_set(err, ERROR_CONFIG, "%s: goes with %s", names->time_zone, names->cron);
	if (request->has_misfire && !by_cron && !request->has_every)
		return error_set(err, ERROR_CONFIG, "%s: goes with %s and %s", names->misfire, names->every,
				 names->cron);
	return 0;
}

static int check_name(const char *field, const char *name, struct error *err)
{
	size_t length = strlen(name);

	if (length > SCHEDULE_REQUEST_MAX_NAME_BYTES || !utf8_is_valid(name, length))
		return error_set(err, ERROR_CONFIG, "%s: must be at most %d bytes of UTF-8", field,
				 SCHEDULE_REQUEST_MAX_NAME_BYTES);
	return 0;
}

static int due_once(const char *field, int64_t due_ms, int64_t now_ms, struct schedule *out, struct error *err)
{
	if (due_ms < now_ms)
		return error_set(err, ERROR_CONFIG, "%s: is in the past", field);
	if (due_ms > now_ms + PLAN_MAX_MS)
		return error_set(err, ERROR_CONFIG, "%s: is more than ten years away", field);
	out->due_ms = due_ms;
	return 0;
}

static int due_by_interval(const char *field, int64_t every_ms, int64_t now_ms, struct schedule *out, struct error *err)
{
	if (every_ms < PLAN_MIN_EVERY_MS)
		return error_set(err, ERROR_CONFIG, "%s: must be a second or more", field);
	if (every_ms > PLAN_MAX_MS)
		return error_set(err, ERROR_CONFIG, "%s: is more than ten years", field);
	out->every_ms = every_ms;
	out->due_ms = now_ms + every_ms;
	return 0;
}

static int check_zone(const char *field, const char *name, struct error *err)
{
	struct time_zone *zone;
	int r = time_zone_load(&zone, name, err);

	if (r == 0)
		time_zone_free(zone);
	else
		error_prefix(err, "%s", field);
	return r;
}

static int due_by_cron(const struct schedule_request *request, const struct schedule_request_names *names,
		       int64_t now_ms, struct schedule *out, struct error *err)
{
	const struct plan plan = {.cron = request->cron, .time_zone = out->time_zone};

	if (request->cron[0] == '\0')
		return error_set(err, ERROR_CONFIG, "%s: is empty", names->cron);
	int r = check_zone(names->time_zone, out->time_zone, err);
	if (r < 0)
		return r;
	r = plan_next(&plan, now_ms, &out->due_ms, err);
	if (r < 0)
		error_prefix(err, "%s", names->cron);
	return r;
}

static int find_due(const struct schedule_request *request, const struct schedule_request_names *names, int64_t now_ms,
		    struct schedule *out, struct error *err)
{
	if (request->has_at)
		return due_once(names->at, request->at_ms, now_ms, out, err);
	if (request->has_every)
		return due_by_interval(names->every, request->every_ms, now_ms, out, err);
	if (request->cron)
		return due_by_cron(request, names, now_ms, out, err);
	if (request->in_ms > PLAN_MAX_MS)
		return error_set(err, ERROR_CONFIG, "%s: is more than ten years", names->in);
	return due_once(names->in, now_ms + request->in_ms, now_ms, out, err);
}

int schedule_request_check(const struct schedule_request *request, const struct schedule_request_names *names,
			   int64_t now_ms, struct schedule *out, struct error *err)
{
	struct schedule schedule = *out;
	int r = check_way(request, names, err);

	schedule.name = request->name ? request->name : "";
	schedule.cron = request->cron ? request->cron : "";
	schedule.time_zone = request->time_zone ? request->time_zone : "";
	schedule.every_ms = 0;
	schedule.misfire = request->has_misfire ? request->misfire : MISFIRE_RUN_ONCE;
	schedule.created_at_ms = now_ms;
	if (r == 0)
		r = check_name(names->name, schedule.name, err);
	if (r == 0)
		r = find_due(request, names, now_ms, &schedule, err);
	if (r == 0)
		*out = schedule;
	return r;
}

int schedule_request_encode(const struct job *job, struct buffer *encoded, struct schedule *out, struct error *err)
{
	int r = job_encode(job, ENCODING_MSGPACK, encoded, err);

	if (r < 0)
		return r;
	out->op = job_op_name(job->op);
	out->scene = job->scene;
	out->user_id = job->user_id;
	out->collection = job->op == JOB_MATCH ? "" : job->collection;
	out->job = encoded->data;
	out->job_size = encoded->size;
	return 0;
}
