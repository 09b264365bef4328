#ifndef MATCH_QUARANTINE_H
#define MATCH_QUARANTINE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "face/image.h"
#include "job/job.h"
#include "sightings.h"
#include "task.h"

/*
 * A job that was delivered again and again may be what the workers before died of. Its photographs are looked at in a
 * process of their own (quarantine_child.h): what kills that kills nothing else, and the job alone is blamed.
 */

struct quarantine_settings {
	const char *program;  /**< NULL: this one */
	const char *detector; /**< model folders */
	const char *embedder;
	struct image_limits limits;
	int dimension; /**< of embeddings */
};

/** True for a job that is suspect and has photographs. */
bool quarantine_wants(const struct task *task);

/**
 * Looks at the job's photographs, which are bytes, and fills `out` (zero-initialised; to be freed in any case): what
 * was found, or the error they were refused with. Fails with `poison` when the process died, with signal or exit status
 * in the error; with the error of `ctx`, whose attempt begins once the process is ready; and with `internal` when it
 * could not be started. Blocks that long.
 */
int quarantine_look(const struct quarantine_settings *settings, struct context *ctx, const struct job *job,
		    struct sightings *out, struct error *err) must_check;

#endif
