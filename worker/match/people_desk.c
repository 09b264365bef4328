#include "people_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/collections.h"

struct people_desk {
	const struct people_desk_settings *settings;
	struct store *store; /* NULL until it is needed */
	struct gallery_search *search;
	float *embeddings; /* of the searches that are run together */
};

int people_desk_new(struct people_desk **out, const struct people_desk_settings *settings, struct error *err)
{
	struct people_desk *desk = calloc(1, sizeof(*desk));

	if (desk) {
		desk->settings = settings;
		desk->search = gallery_search_new();
		desk->embeddings = calloc(GALLERY_MAX_QUERIES, (size_t)settings->dimension * sizeof(float));
	}
	if (!desk || !desk->search || !desk->embeddings) {
		people_desk_free(desk);
		return error_set(err, ERROR_INTERNAL, "no memory for a desk");
	}
	*out = desk;
	return 0;
}

void people_desk_free(struct people_desk *desk)
{
	if (!desk)
		return;
	gallery_search_free(desk->search);
	free(desk->embeddings);
	store_close(desk->store);
	free(desk);
}

/* A store that this program cannot work with ends the worker by way of the follower; here it is just out of reach. */
/* Connecting and what is asked then end with the task's time. */
static int open_store(struct people_desk *desk, const struct context *ctx, struct error *err)
{
	const struct store_settings *settings = &desk->settings->store;
	int64_t left_ms = context_remaining_ms(ctx, settings->timeout_ms);
	struct error why = {0};

	if (desk->store) {
		store_limit(desk->store, left_ms);
		return 0;
	}
	if (store_open_within(&desk->store, settings, left_ms, &why) == 0)
		return 0;
	return error_set(err, ERROR_STORE_UNAVAILABLE, "%s", why.text);
}

/* One look at the store, for the task that asked first. */
struct look {
	struct people_desk *desk;
	const struct context *ctx;
};

static int load(void *arg, const char *collection, const char *user_id, struct people_person *out, struct error *err)
{
	const struct look *look = arg;
	struct people_desk *desk = look->desk;
	int r = open_store(desk, look->ctx, err);

	return r < 0 ? r : people_find(desk->store, collection, user_id, desk->settings->model_id, out, err);
}

int people_desk_find(struct people_desk *desk, const struct context *ctx, const char *collection, const char *user_id,
		     struct people_person *out, struct error *err)
{
	struct look look = {.desk = desk, .ctx = ctx};
	int r = people_cache_find(desk->settings->cache, ctx, collection, user_id, load, &look, out, err);

	if (r < 0 || out->count > 0)
		return r;
	unsigned images = out->images;
	people_finish(out);
	if (images > 0)
		return error_set(err, ERROR_MODEL_MISMATCH,
				 "user_id: \"%s\" is enrolled under another model; see `facefleet collections reembed`",
				 user_id);
	return error_set(err, ERROR_USER_NOT_FOUND, "user_id: \"%s\" is not enrolled in the collection \"%s\"", user_id,
			 collection);
}

/* For a gallery that is empty here. One that only lags behind the store is no mismatch: it has nobody yet. */
static int check_models(struct people_desk *desk, const struct context *ctx, const char *collection, struct error *err)
{
	uint64_t images = 0;
	uint64_t ours = 0;
	int r = open_store(desk, ctx, err);

	if (r == 0)
		r = collections_count_images(desk->store, collection, NULL, &images, err);
	if (r == 0 && images > 0)
		r = collections_count_images(desk->store, collection, desk->settings->model_id, &ours, err);
	if (r == 0 && images > 0 && ours == 0)
		return error_set(
		    err, ERROR_MODEL_MISMATCH,
		    "collection: \"%s\" is enrolled under another model; see `facefleet collections reembed`",
		    collection);
	return r;
}

static int copy_hits(const struct gallery_hit *hits, unsigned count, struct reply_result *result, struct error *err)
{
	result->has_candidates = true;
	if (count == 0)
		return 0;
	result->candidates = calloc(count, sizeof(*result->candidates));
	if (!result->candidates)
		return error_set(err, ERROR_INTERNAL, "no memory for candidates");
	result->candidate_count = count;
	for (unsigned i = 0; i < count; i++) {
		struct reply_candidate *candidate = &result->candidates[i];

		snprintf(candidate->user_id, sizeof(candidate->user_id), "%s", hits[i].user_id);
		memcpy(candidate->image_id, hits[i].image_id, sizeof(candidate->image_id));
		candidate->similarity = hits[i].similarity;
	}
	return 0;
}

bool people_desk_search_gains(const struct people_desk *desk, const char *collection)
{
	struct galleries *galleries = desk->settings->galleries;
	struct gallery *gallery = galleries_are_loaded(galleries) ? galleries_find(galleries, collection) : NULL;

	return gallery && gallery_size(gallery).bytes > desk->settings->large_gallery_bytes;
}

static int search_nobody(struct people_desk *desk, const struct context *ctx, const char *collection,
			 struct people_query *queries, unsigned count, struct error *err)
{
	int r = check_models(desk, ctx, collection, err);

	for (unsigned i = 0; i < count && r == 0; i++)
		r = copy_hits(NULL, 0, queries[i].result, err);
	return r;
}

static int search_gallery(struct people_desk *desk, struct gallery *gallery, struct people_query *queries,
			  unsigned count, struct error *err)
{
	size_t dimension = (size_t)desk->settings->dimension;
	float thresholds[GALLERY_MAX_QUERIES] = {0};
	unsigned most = 0;
	int r = 0;

	for (unsigned i = 0; i < count; i++) {
		memcpy(desk->embeddings + i * dimension, queries[i].embedding, dimension * sizeof(float));
		thresholds[i] = queries[i].threshold;
		most = queries[i].top_k > most ? queries[i].top_k : most;
	}
	if (gallery_search_run(desk->search, gallery, desk->embeddings, count, most, thresholds) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a search");
	for (unsigned i = 0; i < count && r == 0; i++) {
		unsigned found;
		const struct gallery_hit *hits = gallery_search_hits(desk->search, i, &found);

		/* The best few of the best many are the best few. */
		r = copy_hits(hits, found < queries[i].top_k ? found : queries[i].top_k, queries[i].result, err);
	}
	return r;
}

int people_desk_search(struct people_desk *desk, const struct context *ctx, const char *collection,
		       struct people_query *queries, unsigned count, struct error *err)
{
	struct galleries *galleries = desk->settings->galleries;

	if (!galleries_are_loaded(galleries))
		return error_set(err, ERROR_STORE_UNAVAILABLE, "the galleries are not loaded yet");
	struct gallery *gallery = galleries_find(galleries, collection);
	if (!gallery || gallery_size(gallery).images == 0)
		return search_nobody(desk, ctx, collection, queries, count, err);
	return search_gallery(desk, gallery, queries, count, err);
}

/* Who comes after the reply must find the new state: here and in Redis at once, elsewhere within a second. */
static int tell(struct people_desk *desk, const struct context *ctx, const char *collection, const char *user_id,
		uint64_t version, struct error *err)
{
	if (people_cache_know(desk->settings->cache, collection, user_id, version) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory to know of a change");
	people_cache_tell(desk->settings->cache, ctx, collection, user_id, version);
	desk->settings->changed(desk->settings->arg, version);
	return 0;
}

int people_desk_enroll(struct people_desk *desk, const struct context *ctx, const struct people_enrolment *enrolment,
		       struct error *err)
{
	enum people_outcome outcome = PEOPLE_STORED;
	uint64_t version = 0;
	int r = open_store(desk, ctx, err);

	if (r == 0)
		r = people_enroll(desk->store, enrolment, &outcome, &version, err);
	if (r < 0)
		return r;
	switch (outcome) {
	case PEOPLE_SUPERSEDED:
		return error_set(err, ERROR_SUPERSEDED,
				 "user_id: \"%s\" was unenrolled after this enrolment was accepted",
				 enrolment->user_id);
	case PEOPLE_FULL:
		return error_set(err, ERROR_INVALID_JOB,
				 "user_id: \"%s\" has %d images, which is the most there may be", enrolment->user_id,
				 PEOPLE_MAX_IMAGES);
	case PEOPLE_STORED:
	case PEOPLE_UNCHANGED: /* the last attempt may have ended before it told anybody */
		return tell(desk, ctx, enrolment->collection, enrolment->user_id, version, err);
	}
	return 0;
}

int people_desk_unenroll(struct people_desk *desk, const struct context *ctx, const char *collection,
			 const char *user_id, const struct people_command *command, struct error *err)
{
	unsigned removed = 0;
	uint64_t version = 0;
	int r = open_store(desk, ctx, err);

	if (r == 0)
		r = people_unenroll(desk->store, collection, user_id, command, &removed, &version, err);
	return r < 0 ? r : tell(desk, ctx, collection, user_id, version, err);
}
