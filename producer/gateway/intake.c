/* Requests that become jobs, on the threads of the intake pool. */

#include "gateway_private.h"
#include "job_body.h"
#include "problems.h"

/* What is wrong with an encoded job is a client's mistake, but for want of memory. */
static void refuse_encoding(struct visit *visit, const struct error *err)
{
	struct http_problem problem;
	const struct http_problem_kind *kind = err->code == ERROR_IMAGE_TOO_LARGE ? &problem_image_too_large
					       : err->code == ERROR_INVALID_JOB   ? &problem_invalid_job
										  : &problem_internal;

	problem_from_error(&problem, kind, err);
	routes_refuse(visit, &problem);
}

static void submit(struct gateway *gateway, struct visit *visit, const struct job *job)
{
	const struct submitter submitter = {
	    .owner = visit->visitor.owner,
	    .traceparent = visit->traceparent,
	    .tracestate = visit->tracestate,
	    .prefer = visit->prefer,
	};
	struct submission *submission;
	struct amqp_message *message;
	struct error err;

	if (submission_new(&submission, &message, job, &submitter, &err) < 0) {
		refuse_encoding(visit, &err);
		return;
	}
	submission->call = visit->call;
	/* The message has its own copy: what waits for the reply need not hold the photographs. */
	buffer_finish(http_call_body(visit->call));
	visit_free(visit);
	desk_submit(gateway->desk, submission, message);
}

void intake_handle(struct gateway *gateway, struct visit *visit, struct store **store)
{
	const struct job_frame frame = {.op = visit->op, .user_id = visit->has_user ? visit->user_id : NULL};
	const struct buffer *body = http_call_body(visit->call);
	const char *content_type = visit->has_content_type ? visit->content_type : NULL;
	struct http_problem problem;
	struct job_body read;

	(void)store;
	if (job_body_read(&read, &frame, content_type, body->data, body->size, &problem) < 0)
		routes_refuse(visit, &problem);
	else
		submit(gateway, visit, &read.job);
	job_body_finish(&read);
}
