#ifndef GATEWAY_PROBLEMS_H
#define GATEWAY_PROBLEMS_H

#include "base/error.h"
#include "http/problem.h"

/* Every way in which the gateway refuses a request, beside those of http/problem.h. openapi.yaml documents them. */
extern const struct http_problem_kind problem_invalid_job;
extern const struct http_problem_kind problem_invalid_schedule;
extern const struct http_problem_kind problem_image_too_large;
extern const struct http_problem_kind problem_invalid_form;
extern const struct http_problem_kind problem_unsupported_media_type;
extern const struct http_problem_kind problem_invalid_query;
extern const struct http_problem_kind problem_task_not_found;
extern const struct http_problem_kind problem_task_finished;
extern const struct http_problem_kind problem_task_not_failed;
extern const struct http_problem_kind problem_job_not_kept;
extern const struct http_problem_kind problem_schedule_not_found;
extern const struct http_problem_kind problem_queue_full;
extern const struct http_problem_kind problem_broker_unavailable;
extern const struct http_problem_kind problem_unconfirmed;
extern const struct http_problem_kind problem_store_unavailable;
extern const struct http_problem_kind problem_too_many_streams;
extern const struct http_problem_kind problem_unauthorized;
extern const struct http_problem_kind problem_forbidden;
extern const struct http_problem_kind problem_rate_limited;
extern const struct http_problem_kind problem_over_share;
extern const struct http_problem_kind problem_too_many_schedules;
extern const struct http_problem_kind problem_invalid_header;
extern const struct http_problem_kind problem_idempotency_in_flight;
extern const struct http_problem_kind problem_idempotency_reused;
extern const struct http_problem_kind problem_internal;
extern const struct http_problem_kind problem_not_in_this_mode;

/** A refused job, form or query as a problem: "image_a.url: has no host" blames the field `image_a.url`. */
void problem_from_error(struct http_problem *problem, const struct http_problem_kind *kind, const struct error *err);

/** What is wrong with a job that cannot be encoded: a client's mistake, but for want of memory. */
void problem_from_encoding(struct http_problem *problem, const struct error *err);

#endif
