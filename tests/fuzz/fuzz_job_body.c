/* Bodies of requests: the first byte picks the op, then comes the content type up to a line break. What is read
 * encodes. */

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/job_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	struct buffer encoded = {0};
	struct http_problem problem = {0};
	struct job_frame frame = {0};
	struct job_body body;
	char content_type[256];
	struct error err;

	if (!line || line == data)
		return 0;
	snprintf(content_type, sizeof(content_type), "%.*s", (int)(line - data - 1), (const char *)data + 1);
	frame.op = (enum job_op)(data[0] % (JOB_UNENROLL + 1));
	if (frame.op == JOB_ENROLL || frame.op == JOB_UNENROLL)
		frame.user_id = "u";
	if (job_body_read(&body, &frame, content_type, line + 1, size - (size_t)(line + 1 - data), &problem) < 0) {
		assert(problem.kind->status >= 400 && problem.kind->status < 500);
	} else {
		assert(body.job.op == frame.op);
		assert(!frame.user_id || strcmp(body.job.user_id, "u") == 0);
		assert(job_encode(&body.job, ENCODING_MSGPACK, &encoded, &err) == 0);
	}
	job_body_finish(&body);
	buffer_finish(&encoded);
	return 0;
}
