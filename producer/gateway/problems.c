#include "problems.h"

#include <stdio.h>
#include <string.h>

const struct http_problem_kind problem_invalid_job = {400, "invalid_job", "The job is not valid."};
const struct http_problem_kind problem_invalid_schedule = {400, "invalid_schedule", "The schedule is not valid."};
const struct http_problem_kind problem_image_too_large = {413, "image_too_large", "The photographs are too large."};
const struct http_problem_kind problem_invalid_form = {400, "invalid_form", "The form is malformed."};
const struct http_problem_kind problem_unsupported_media_type = {415, "unsupported_media_type",
								 "The body is of a kind that is not taken here."};
const struct http_problem_kind problem_invalid_query = {400, "invalid_query", "The query is not valid."};
const struct http_problem_kind problem_task_not_found = {404, "task_not_found", "There is no such task."};
const struct http_problem_kind problem_schedule_not_found = {404, "schedule_not_found", "There is no such schedule."};
const struct http_problem_kind problem_task_finished = {409, "task_finished", "The task has ended."};
const struct http_problem_kind problem_task_not_failed = {409, "task_not_failed", "The task has not failed."};
const struct http_problem_kind problem_job_not_kept = {409, "job_not_kept", "The job of the task is not kept."};
const struct http_problem_kind problem_queue_full = {503, "queue_full", "The queue is full."};
const struct http_problem_kind problem_broker_unavailable = {503, "broker_unavailable",
							     "The broker cannot be reached."};
const struct http_problem_kind problem_unconfirmed = {
    503, "unconfirmed", "The broker did not say whether it took the job: the task may exist."};
const struct http_problem_kind problem_store_unavailable = {503, "store_unavailable", "The store cannot be reached."};
const struct http_problem_kind problem_too_many_streams = {503, "too_many_streams",
							   "Too many streams of events are open."};
const struct http_problem_kind problem_unauthorized = {401, "unauthorized", "An API key is needed."};
const struct http_problem_kind problem_forbidden = {403, "forbidden", "The API key does not allow this."};
const struct http_problem_kind problem_rate_limited = {429, "rate_limited", "There were too many requests."};
const struct http_problem_kind problem_over_share = {429, "over_share",
						     "There is too much to do, and others send much less."};
const struct http_problem_kind problem_too_many_schedules = {429, "too_many_schedules",
							     "The API key has too many schedules."};
const struct http_problem_kind problem_invalid_header = {400, "invalid_header", "A header is not valid."};
const struct http_problem_kind problem_idempotency_in_flight = {
    409, "idempotency_in_flight", "The same request is being carried out at this moment."};
const struct http_problem_kind problem_idempotency_reused = {422, "idempotency_reused",
							     "The Idempotency-Key was used for another request."};
const struct http_problem_kind problem_internal = {500, "internal", "Something is wrong with the gateway."};
const struct http_problem_kind problem_not_in_this_mode = {501, "not_in_this_mode",
							   "The gateway does not do this in the mode it is in."};

void problem_from_error(struct http_problem *problem, const struct http_problem_kind *kind, const struct error *err)
{
	size_t length = strspn(err->text, "abcdefghijklmnopqrstuvwxyz0123456789_.[]");

	http_problem_init(problem, kind, "%s", err->text);
	if (length > 0 && length < sizeof(problem->field) && strncmp(err->text + length, ": ", 2) == 0)
		snprintf(problem->field, sizeof(problem->field), "%.*s", (int)length, err->text);
}

void problem_from_encoding(struct http_problem *problem, const struct error *err)
{
	const struct http_problem_kind *kind = err->code == ERROR_IMAGE_TOO_LARGE ? &problem_image_too_large
					       : err->code == ERROR_INVALID_JOB   ? &problem_invalid_job
										  : &problem_internal;

	problem_from_error(problem, kind, err);
}
