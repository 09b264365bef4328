#include "matcher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

struct matcher {
	struct matcher_settings settings;
	struct face_engine *engine;
	struct face_set faces_a;
	struct face_set faces_b;
};

int matcher_new(struct matcher **out, const struct matcher_settings *settings, struct error *err)
{
	struct matcher *matcher = calloc(1, sizeof(*matcher));

	if (!matcher)
		return error_set(err, ERROR_INTERNAL, "no memory for a matcher");
	matcher->settings = *settings;
	int r = face_engine_new(&matcher->engine, settings->models, &settings->limits, err);
	if (r == 0)
		r = face_engine_warm(matcher->engine, err);
	if (r < 0) {
		matcher_free(matcher);
		return r;
	}
	*out = matcher;
	return 0;
}

void matcher_free(struct matcher *matcher)
{
	if (!matcher)
		return;
	face_engine_free(matcher->engine);
	free(matcher);
}

/* The similarity from which two faces count as one person's: what the job asks for, or the model's own. */
static int choose_threshold(const struct matcher *matcher, const struct job_options *options, double *threshold,
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
	*threshold = chosen > matcher->settings.min_threshold ? chosen : matcher->settings.min_threshold;
	return 0;
}

static int analyse(struct matcher *matcher, const struct context *ctx, const struct job_image *image, char which,
		   enum face_policy policy, struct face_set *faces, struct timings *timings, struct error *err)
{
	int r = face_engine_analyse(matcher->engine, ctx, image->data, image->size, policy, faces, timings, err);

	/* A deadline or a cancellation is nobody's photograph's fault. */
	if (r < 0 && err && (err->class == ERROR_CLASS_REJECT) && err->code != ERROR_DEADLINE_EXCEEDED &&
	    err->code != ERROR_CANCELLED)
		err->image = which;
	return r;
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

static void describe_face(struct reply_face *out, const struct face_set *set, int index)
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

int matcher_run(struct matcher *matcher, const struct context *ctx, const struct job *job, struct reply *reply,
		struct error *err)
{
	const struct modelset *models = matcher->settings.models;
	struct reply_result *result = &reply->result;
	enum face_policy policy = job->options.has_face_policy ? job->options.face_policy : FACE_POLICY_LARGEST;
	double threshold;

	if (job->op != JOB_MATCH)
		return error_set(err, ERROR_INVALID_JOB, "op: this worker does not serve \"%s\"", job_op_name(job->op));
	snprintf(reply->model, sizeof(reply->model), "%s", models->embedder.name);
	int r = choose_threshold(matcher, &job->options, &threshold, err);
	if (r == 0)
		r = analyse(matcher, ctx, &job->image_a, 'a', policy, &matcher->faces_a, &reply->timings, err);
	if (r == 0)
		r = analyse(matcher, ctx, &job->image_b, 'b', policy, &matcher->faces_b, &reply->timings, err);
	if (r == 0)
		r = context_check(ctx, "compare", err);
	if (r < 0)
		return r;

	int64_t start = clock_monotonic_ns();
	int index_a = 0;
	int index_b = 0;
	result->similarity =
	    best_pair(&matcher->faces_a, &matcher->faces_b, models->embedder.dimension, &index_a, &index_b);
	result->threshold = threshold;
	result->matched = result->similarity >= threshold;
	result->has_match = true;
	result->present = true;
	result->face_policy = policy;
	describe_face(&result->face_a, &matcher->faces_a, index_a);
	describe_face(&result->face_b, &matcher->faces_b, index_b);
	timings_add(&reply->timings, STAGE_COMPARE, clock_elapsed_ms(start, clock_monotonic_ns()));
	return 0;
}
