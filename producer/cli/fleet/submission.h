#ifndef CLI_SUBMISSION_H
#define CLI_SUBMISSION_H

#include <stdbool.h>

#include "cli/output/exit_status.h"
#include "cli/output/results.h"
#include "config/config.h"
#include "job/job.h"

/** What `facefleet submit`, or `enroll --from`, was asked to do. Borrows everything. */
struct submission_settings {
	const struct config *config;
	enum job_op op; /**< what each row is: JOB_MATCH or JOB_ENROLL */
	int input_fd;
	const char *base_dir;     /**< relative image paths count from here */
	const char *collection;   /**< of rows that name none */
	const char *scene;        /**< of rows that name none */
	const char *callback_url; /**< of rows that name none; NULL: none */
	struct job_options options;
	bool wait;          /**< for every reply */
	bool quiet;         /**< no progress, no summary */
	unsigned in_flight; /**< rows under way at any moment */
	int64_t connect_timeout_ms;
};

/**
 * Sends every row of the input that has no result yet and writes a result for each: as soon as the
 * broker confirmed it or, with `wait`, when its reply came. Reports to standard error; ends early
 * on SIGINT or SIGTERM, when the broker is of no use any more, or when results cannot be written.
 */
enum exit_status submission_run(const struct submission_settings *settings, struct results *results);

#endif
