#ifndef GATEWAY_SCHEDULE_BODY_H
#define GATEWAY_SCHEDULE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "http/problem.h"
#include "job/job.h"
#include "scheduler/cron.h"
#include "scheduler/schedule_request.h"
#include "scheduler/time_zone.h"

/** A schedule as it came in over HTTP. What it points to lies in itself: it must not be moved. */
struct schedule_body {
	struct schedule_request when; /**< not checked yet */
	struct job job;
	char name[SCHEDULE_REQUEST_MAX_NAME_BYTES + 1]; /**< private, as all that follows */
	char cron[CRON_MAX_BYTES + 1];
	char time_zone[TIME_ZONE_NAME_SIZE];
};

/** What the fields that say when are called in it. */
extern const struct schedule_request_names schedule_body_names;

/**
 * Reads the JSON of a request. 0; or a negative errno, with the problem to answer with. Either way
 * schedule_body_finish() follows.
 */
int schedule_body_read(struct schedule_body *out, const char *content_type, const uint8_t *body, size_t size,
		       struct http_problem *problem) must_check;

void schedule_body_finish(struct schedule_body *body);

#endif
