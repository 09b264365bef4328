#include "schedule_body.h"

#include <errno.h>

#include "job/value.h"
#include "problems.h"
#include "scheduler/plan.h"

const struct schedule_request_names schedule_body_names = {
    .name = "name",
    .at = "at",
    .in = "in_ms",
    .every = "every_ms",
    .cron = "cron",
    .time_zone = "time_zone",
    .misfire = "misfire",
};

static const char *read_string(const struct value *map, const char *name, char *out, size_t size)
{
	struct value value = value_field(map, name);

	return value_read_string(&value, out, size) ? out : NULL;
}

static void read_when(struct schedule_body *out, const struct value *root)
{
	static const char *const misfires[] = {[MISFIRE_RUN_ONCE] = "run_once", [MISFIRE_SKIP] = "skip"};
	struct schedule_request *when = &out->when;
	struct value at = value_field(root, "at");
	struct value in = value_field(root, "in_ms");
	struct value every = value_field(root, "every_ms");
	struct value misfire = value_field(root, "misfire");
	unsigned index;

	when->name = read_string(root, "name", out->name, sizeof(out->name));
	when->cron = read_string(root, "cron", out->cron, sizeof(out->cron));
	when->time_zone = read_string(root, "time_zone", out->time_zone, sizeof(out->time_zone));
	when->has_at = value_read_time(&at, &when->at_ms);
	when->has_in = value_read_integer(&in, 0, PLAN_MAX_MS, &when->in_ms);
	when->has_every = value_read_integer(&every, PLAN_MIN_EVERY_MS, PLAN_MAX_MS, &when->every_ms);
	when->has_misfire = value_read_choice(&misfire, misfires, array_size(misfires), &index);
	if (when->has_misfire)
		when->misfire = (enum misfire)index;
}

static int read_document(struct schedule_body *out, const uint8_t *body, size_t size, struct error *err)
{
	struct document doc;
	int r = document_open(&doc, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	struct value job = value_field(&root, "job");
	read_when(out, &root);
	r = doc.result == 0 ? job_decode_value(&out->job, &job, err) : doc.result;
	document_close(&doc);
	return r;
}

int schedule_body_read(struct schedule_body *out, const char *content_type, const uint8_t *body, size_t size,
		       struct http_problem *problem)
{
	enum encoding encoding;
	struct error err;

	*out = (struct schedule_body){0};
	job_init(&out->job, JOB_MATCH);
	if (!content_type || encoding_from_content_type(content_type, &encoding) < 0 || encoding != ENCODING_JSON) {
		http_problem_init(problem, &problem_unsupported_media_type, "application/json was expected");
		return -EINVAL;
	}
	int r = read_document(out, size > 0 ? body : (const uint8_t *)"", size, &err);
	if (r < 0)
		problem_from_error(problem, err.code == ERROR_INTERNAL ? &problem_internal : &problem_invalid_schedule,
				   &err);
	return r;
}

void schedule_body_finish(struct schedule_body *body)
{
	job_finish(&body->job);
}
