/* Bodies of POST /v1/schedules. What is read encodes. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gateway/schedule_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schedule schedule = {.owner = ""};
	struct http_problem problem = {0};
	struct buffer encoded = {0};
	struct schedule_body body;
	struct error err = {0};

	if (schedule_body_read(&body, "application/json", data, size, &problem) < 0) {
		assert(problem.kind->status >= 400 && problem.kind->status < 500);
	} else {
		assert(schedule_request_encode(&body.job, &encoded, &schedule, &err) == 0);
		if (schedule_request_check(&body.when, &schedule_body_names, 1795608000000, &schedule, &err) == 0)
			assert(schedule.due_ms >= 1795608000000);
		else
			assert(err.text[0] != '\0');
	}
	schedule_body_finish(&body);
	buffer_finish(&encoded);
	return 0;
}
