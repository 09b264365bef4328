#ifndef MATCH_QUARANTINE_REQUEST_H
#define MATCH_QUARANTINE_REQUEST_H

#include "base/compiler.h"
#include "job/job.h"

/*
 * What a suspect job asks of the process that looks at its photographs, as a file in memory. Writer and reader are the
 * same program on the same host.
 */

struct quarantine_request {
	struct job job; /**< op, photographs, face policy and reference; borrows from `bytes` */
	const uint8_t *bytes;
	size_t size;
};

/** Writes the request about `job`, whose photographs are bytes, into a new file. Its descriptor or a negative errno. */
int quarantine_request_write(const struct job *job) must_check;

/** Reads the request from the open file. 0, -EBADMSG if there is none in it, or another negative errno. */
int quarantine_request_read(int fd, struct quarantine_request *out) must_check;

/** Lets go of its bytes. */
void quarantine_request_finish(struct quarantine_request *request);

#endif
