#include "matcher_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "photo_entry.h"
#include "test_hooks.h"

int matcher_new(struct matcher **out, const struct matcher_settings *settings, struct error *err)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));

	if (!matcher)
		return error_set(err, ERROR_INTERNAL, "no memory for a matcher");
	matcher->settings = *settings;
	int r = face_engine_new(&matcher->engine, settings->models, &settings->limits, err);
	if (r == 0)
		r = face_engine_warm(matcher->engine, err);
	if (r == 0 && settings->people)
		r = people_desk_new(&matcher->people, settings->people, err);
	if (r < 0) {
		matcher_free(matcher);
		return r;
	}
	*out = matcher;
	return 0;
}

void matcher_set_rules(struct matcher *matcher, const struct matcher_rules *rules)
{
	matcher->settings.rules = *rules;
}

void matcher_free(struct matcher *matcher)
{
	if (!matcher)
		return;
	people_desk_free(matcher->people);
	buffer_finish(&matcher->photo_entry);
	face_engine_free(matcher->engine);
	free(matcher);
}

int matcher_threshold(const struct matcher *matcher, const struct job_options *options, double *threshold,
		      struct error *err)
{
	const struct modelset *models = matcher->settings.models;
	double chosen = models->embedder.default_threshold;

	if (options->has_threshold)
		chosen = options->threshold;
	else if (options->has_far) {
		int r = modelset_threshold(models, options->far, &chosen, err);
		if (r < 0)
			return r;
	}
	*threshold = chosen > matcher->settings.rules.min_threshold ? chosen : matcher->settings.rules.min_threshold;
	return 0;
}

/* The faces of a photograph, computed here or in another process. */
static int look(struct matching *m, const struct job_image *image, struct face_set *faces, struct error *err)
{
	const struct sightings *seen = m->matcher->seen;

	if (seen) {
		*faces = seen->faces[image == &m->job->image_b];
		return 0;
	}
	test_hooks_obey(m->job->reference);
	return face_engine_analyse(m->matcher->engine, m->ctx, image->data, image->size, m->policy, faces,
				   &m->reply->timings, err);
}

/* One photograph on its way through the cache. */
struct cached_look {
	struct matching *m;
	const struct job_image *image;
	struct face_set *faces;
	bool is_fresh; /* `faces` were computed here */
};

static int compute_entry(void *arg, struct buffer *value, struct error *err)
{
	struct cached_look *look_up = arg;
	int r = look(look_up->m, look_up->image, look_up->faces, err);

	if (r < 0)
		return r;
	look_up->is_fresh = true;
	if (photo_entry_write(look_up->faces, look_up->m->matcher->settings.models->embedder.dimension, value) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for what was found in a photograph");
	return 0;
}

static bool is_entry(void *arg, const struct buffer *value)
{
	const struct cached_look *look_up = arg;

	return photo_entry_read(value->data, value->size, look_up->m->matcher->settings.models->embedder.dimension,
				look_up->faces) == 0;
}

/* The same, unless somebody has computed it before. */
static int look_up(struct matching *m, const struct job_image *image, struct face_set *faces, struct error *err)
{
	struct buffer *entry = &m->matcher->photo_entry;
	struct cached_look looking = {.m = m, .image = image, .faces = faces};
	const struct photo_cache_request request = {
	    .photo = image->data,
	    .size = image->size,
	    .variant = (uint8_t)m->policy,
	    .compute = compute_entry,
	    .is_valid = is_entry,
	    .arg = &looking,
	};

	buffer_clear(entry);
	int r = context_check(m->ctx, stage_name(STAGE_DECODE), err);
	if (r == 0)
		r = photo_cache_find(m->matcher->settings.photos, m->ctx, &request, entry, err);
	if (r == 0 && !looking.is_fresh && !is_entry(&looking, entry))
		r = error_set(err, ERROR_INTERNAL, "what was found in a photograph cannot be read");
	return r;
}

/* A deadline or a cancellation is nobody's photograph's fault. */
static int blame(int r, char which, struct error *err)
{
	if (r < 0 && err && (err->class == ERROR_CLASS_REJECT) && err->code != ERROR_DEADLINE_EXCEEDED &&
	    err->code != ERROR_CANCELLED)
		err->image = which;
	return r;
}

int matcher_analyse(struct matching *m, const struct job_image *image, char which, struct face_set *faces,
		    struct error *err)
{
	int r = m->matcher->settings.photos && !m->matcher->seen ? look_up(m, image, faces, err)
								 : look(m, image, faces, err);

	return blame(r, which, err);
}

int matcher_analyse_afresh(struct matching *m, const struct job_image *image, char which, struct face_set *faces,
			   struct error *err)
{
	return blame(look(m, image, faces, err), which, err);
}

/* Finds the most similar pair among the embedded faces (one each, unless the policy is best_pair). */
static double best_pair(const struct face_set *a, const struct face_set *b, int dimension, int *index_a, int *index_b)
{
	double best = -2;

	for (int i = 0; i < a->embedded; i++) {
		for (int j = 0; j < b->embedded; j++) {
			double similarity = face_similarity(a->embeddings[i], b->embeddings[j], dimension);
			if (similarity > best) {
				best = similarity;
				*index_a = i;
				*index_b = j;
			}
		}
	}
	return best;
}

void matcher_describe(struct reply_face *out, const struct face_set *set, int index)
{
	const struct face *face = &set->faces[index];

	out->present = true;
	for (int i = 0; i < 4; i++)
		out->box[i] = face->box[i];
	for (int i = 0; i < 5; i++) {
		out->landmarks[i][0] = face->landmarks[i][0];
		out->landmarks[i][1] = face->landmarks[i][1];
	}
	out->score = face->score;
	out->faces = set->count;
	out->index = index;
}

static int match_pair(struct matching *m, struct error *err)
{
	struct matcher *matcher = m->matcher;
	struct reply_result *result = &m->reply->result;
	int index_a = 0;
	int index_b = 0;
	int r = matcher_threshold(matcher, &m->job->options, &result->threshold, err);

	if (r == 0)
		r = matcher_analyse(m, &m->job->image_a, 'a', &matcher->faces_a, err);
	if (r == 0)
		r = matcher_analyse(m, &m->job->image_b, 'b', &matcher->faces_b, err);
	if (r == 0)
		r = context_check(m->ctx, "compare", err);
	if (r < 0)
		return r;

	int64_t start = clock_monotonic_ns();
	result->similarity = best_pair(&matcher->faces_a, &matcher->faces_b,
				       matcher->settings.models->embedder.dimension, &index_a, &index_b);
	result->matched = result->similarity >= result->threshold;
	result->has_match = true;
	matcher_describe(&result->face_a, &matcher->faces_a, index_a);
	matcher_describe(&result->face_b, &matcher->faces_b, index_b);
	timings_add(&m->reply->timings, STAGE_COMPARE, clock_elapsed_ms(start, clock_monotonic_ns()));
	return 0;
}

int matcher_check_people(const struct matcher *matcher, const struct job *job, struct error *err)
{
	if (matcher->people)
		return 0;
	return error_set_class(err, ERROR_CLASS_REJECT, ERROR_STORE_UNAVAILABLE,
			       "op: this worker does not serve \"%s\": it has no store (store.url is empty)",
			       job_op_name(job->op));
}

void matcher_matching_init(struct matching *m, struct matcher *matcher, const struct context *ctx,
			   const struct job *job, struct reply *reply)
{
	*m = (struct matching){
	    .matcher = matcher,
	    .ctx = ctx,
	    .job = job,
	    .reply = reply,
	    .policy = job->options.has_face_policy ? job->options.face_policy : FACE_POLICY_LARGEST,
	};
	snprintf(reply->model, sizeof(reply->model), "%s", matcher->settings.models->embedder.name);
}

void matcher_succeed(struct matching *m)
{
	m->reply->result.present = true;
	m->reply->result.face_policy = m->policy;
}

int matcher_run(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
		struct error *err)
{
	static int (*const ops[])(struct matching *, struct error *) = {
	    [JOB_MATCH] = match_pair,      [JOB_VERIFY] = matcher_verify,     [JOB_SEARCH] = matcher_search_alone,
	    [JOB_ENROLL] = matcher_enroll, [JOB_UNENROLL] = matcher_unenroll,
	};
	struct matching m;

	matcher_matching_init(&m, matcher, ctx, job, reply);
	int r = job->op == JOB_MATCH ? 0 : matcher_check_people(matcher, job, err);
	if (r == 0)
		r = ops[job->op](&m, err);
	if (r == 0)
		matcher_succeed(&m);
	return r;
}
