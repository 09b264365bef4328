/* A job in two halves, in two processes: the photographs, and what follows from what was found in them. */
#include <string.h>

#include "matcher_private.h"

int matcher_see(struct matcher *matcher, const struct context *ctx, const struct job *job, struct sightings *out)
{
	const struct job_image *images[] = {&job->image_a, &job->image_b};
	struct reply reply;
	struct matching m;
	int r = 0;

	reply_init(&reply, "", job);
	matcher_matching_init(&m, matcher, ctx, job, &reply);
	for (int i = 0; i < sightings_photographs(job->op) && r == 0; i++)
		r = matcher_analyse_afresh(&m, images[i], (char)('a' + i), &out->faces[i], &out->error);
	if (r == 0 && job->op == JOB_ENROLL)
		r = matcher_look_closer(&m, &out->faces[0], &out->quality, &out->portrait, &out->error);
	out->timings = reply.timings;
	return r;
}

int matcher_run_seen(struct matcher *matcher, const struct context *ctx, const struct job *job,
		     const struct sightings *seen, struct reply *reply, struct error *err)
{
	for (int i = 0; i < STAGE_COUNT; i++) {
		if (seen->timings.ms[i] >= 0)
			timings_add(&reply->timings, (enum stage)i, seen->timings.ms[i]);
	}
	if (error_is_set(&seen->error)) {
		*err = seen->error;
		return error_errno(err);
	}
	matcher->seen = seen;
	int r = matcher_run(matcher, ctx, job, reply, err);
	matcher->seen = NULL;
	return r;
}

int matcher_look_closer(struct matching *m, const struct face_set *faces, struct face_quality *quality,
			struct buffer *portrait, struct error *err)
{
	const struct sightings *seen = m->matcher->seen;

	if (!seen)
		return face_engine_look(m->matcher->engine, faces, quality, portrait, err);
	*quality = seen->quality;
	if (portrait && buffer_append(portrait, seen->portrait.data, seen->portrait.size) < 0)
		return error_set(err, ERROR_INTERNAL, "no memory for a portrait");
	return 0;
}
