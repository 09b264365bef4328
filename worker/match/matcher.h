#ifndef MATCH_MATCHER_H
#define MATCH_MATCHER_H

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "face/engine.h"
#include "job/job.h"
#include "job/reply.h"

/**
 * The computing half of a task: photographs in, verdict out. Knows nothing of brokers or queues,
 * so benchmarks and tests run it in-process.
 */
struct matcher;

struct matcher_settings {
	const struct modelset *models; /**< outlives the matcher; shared */
	struct image_limits limits;
	double min_threshold; /**< the operator's floor under every threshold */
};

/** Makes the matcher of one thread, with its networks run once so that no job pays for the first run. */
int matcher_new(struct matcher **out, const struct matcher_settings *settings, struct error *err) must_check;

/** NULL is fine. */
void matcher_free(struct matcher *matcher);

/**
 * Runs `job`, whose images must be bytes by now, and fills reply->result, timings and model.
 * On error `err` carries what is wrong and, where one photograph is to blame, which. One thread
 * at a time; takes milliseconds; checks `ctx` before each stage.
 */
int matcher_run(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
		struct error *err) must_check;

#endif
