#ifndef MATCH_PEOPLE_DESK_H
#define MATCH_PEOPLE_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "cache/people_cache.h"
#include "galleries.h"
#include "job/reply.h"
#include "store/people.h"

/**
 * What a compute thread asks about people and does to them: its own connection to the store, in front of it what all
 * threads share. One thread at a time. Errors are as a reply carries them.
 */
struct people_desk;

struct people_desk_settings {
	struct store_settings store;
	const char *model_id;
	int dimension; /**< of its embeddings */
	struct galleries *galleries;
	size_t large_gallery_bytes; /**< beyond it, searches gain by being run together */
	struct people_cache *cache;
	/** Called after a change is in the store, for others to hear of. Any compute thread; must not block. */
	void (*changed)(void *arg, uint64_t version);
	void *arg;
};

/** Opens nothing yet. The settings outlive the desk. */
int people_desk_new(struct people_desk **out, const struct people_desk_settings *settings,
		    struct error *err) must_check;

/** NULL is fine. */
void people_desk_free(struct people_desk *desk);

/** Finds somebody with images under this model; free with people_finish(). Otherwise `user_not_found`, or
 * `model_mismatch` where there are images under other models only. */
int people_desk_find(struct people_desk *desk, const struct context *ctx, const char *collection, const char *user_id,
		     struct people_person *out, struct error *err) must_check;

struct people_query {
	const float *embedding;
	float threshold;
	unsigned top_k;
	struct reply_result *result; /**< its candidates are filled in */
};

/**
 * Searches a collection for `count` faces (at most GALLERY_MAX_QUERIES) in one pass. Nobody at or above the threshold
 * is a success; a collection whose images are all under other models is a `model_mismatch`; galleries that could not be
 * loaded yet are `store_unavailable`. The store, which is asked about empty galleries, has as long as `ctx` allows.
 */
int people_desk_search(struct people_desk *desk, const struct context *ctx, const char *collection,
		       struct people_query *queries, unsigned count, struct error *err) must_check;

/** True if the collection is so large that searches gain by being run together. */
bool people_desk_search_gains(const struct people_desk *desk, const char *collection);

/** `superseded` when a newer unenrolment stands. */
int people_desk_enroll(struct people_desk *desk, const struct context *ctx, const struct people_enrolment *enrolment,
		       struct error *err) must_check;

/** Also of somebody who was never enrolled. */
int people_desk_unenroll(struct people_desk *desk, const struct context *ctx, const char *collection,
			 const char *user_id, const struct people_command *command, struct error *err) must_check;

#endif
