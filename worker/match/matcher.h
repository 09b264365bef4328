#ifndef MATCH_MATCHER_H
#define MATCH_MATCHER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "cache/photo_cache.h"
#include "face/engine.h"
#include "job/job.h"
#include "job/reply.h"
#include "people_desk.h"
#include "sightings.h"

/**
 * The computing half of a task: photographs in, verdict out. Knows nothing of brokers or queues,
 * so benchmarks and tests run it in-process.
 */
struct matcher;

/** What an operator may change while the matcher lives. */
struct matcher_rules {
	double min_threshold;            /**< the floor under every threshold */
	struct quality_limits enrolment; /**< what a face must be to be enrolled */
	bool portraits;                  /**< an enrolment keeps one */
};

struct matcher_settings {
	const struct modelset *models; /**< outlives the matcher; shared */
	struct image_limits limits;
	struct matcher_rules rules;
	struct photo_cache *photos; /**< NULL: every photograph is computed; outlives the matcher; shared */
	const struct people_desk_settings *people; /**< NULL: this worker knows no people; outlives the matcher */
};

/** Makes the matcher of one thread, with its networks run once so that no job pays for the first run. */
int matcher_new(struct matcher **out, const struct matcher_settings *settings, struct error *err) must_check;

/** Other rules from the next job on; that thread's to call. */
void matcher_set_rules(struct matcher *matcher, const struct matcher_rules *rules);

/** NULL is fine. */
void matcher_free(struct matcher *matcher);

/**
 * Runs `job`, whose images must be bytes by now, and fills reply->result, timings and model. The reply says which task
 * it is, when it was accepted, which orders what is done to a person, and what is to be left out.
 * On error `err` carries what is wrong and, where one photograph is to blame, which. One thread
 * at a time; takes milliseconds; checks `ctx` before each stage.
 */
int matcher_run(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
		struct error *err) must_check;

/* A job in two halves, for one whose photographs are looked at in another process. */

/** The first half: only what is found in its photographs, into `out` (zero-initialised), which also gets the error. */
int matcher_see(struct matcher *matcher, const struct context *ctx, const struct job *job,
		struct sightings *out) must_check;

/** The second half: as matcher_run(), without looking at the photographs. Not for a job without any. */
int matcher_run_seen(struct matcher *matcher, const struct context *ctx, const struct job *job,
		     const struct sightings *seen, struct reply *reply, struct error *err) must_check;

/* A search in two halves, so that several can share the second: a large gallery is then read once for all of them. */

/** A search whose photograph has been looked at. What it points to lives until matcher_search_end(). */
struct matcher_search {
	const struct context *ctx;
	const struct job *job;
	struct reply *reply;
	float embedding[FACE_MAX_DIMENSION];
	struct error error; /**< of the second half; not set: reply->result is there */
};

/** The first half of a JOB_SEARCH: as matcher_run(), without the comparison. */
int matcher_search_begin(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
			 struct matcher_search *search, struct error *err) must_check;

/** True if the search is in a gallery so large that it gains by company. */
bool matcher_search_gains(const struct matcher *matcher, const struct job *job);

/** The second half, of `count` searches, at most GALLERY_MAX_QUERIES. */
void matcher_search_end(struct matcher *matcher, struct matcher_search *searches, unsigned count);

#endif
