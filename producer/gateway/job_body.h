#ifndef GATEWAY_JOB_BODY_H
#define GATEWAY_JOB_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "http/problem.h"
#include "job/job.h"

/** A job as it came in over HTTP. Image bytes point into the body, which must outlive it. */
struct job_body {
	struct job job;
	struct job_when when;
	struct job_body_text *text; /**< private */
};

/**
 * Reads the body of a request, a form or JSON as its content type says (NULL: there is no header). An empty body counts
 * as an empty form. 0; or a negative errno, with the problem to answer with. Either way job_body_finish() follows.
 */
int job_body_read(struct job_body *out, const struct job_frame *frame, const char *content_type, const uint8_t *body,
		  size_t size, struct http_problem *problem) must_check;

void job_body_finish(struct job_body *body);

#endif
