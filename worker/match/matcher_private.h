#ifndef MATCH_MATCHER_PRIVATE_H
#define MATCH_MATCHER_PRIVATE_H

#include "matcher.h"

struct matcher {
	struct matcher_settings settings;
	struct face_engine *engine;
	struct people_desk *people; /* NULL: none */
	struct face_set faces_a;
	struct face_set faces_b;
	struct buffer photo_entry;    /* from the cache; reused */
	struct matcher_search search; /* of one that has no company */
	const struct sightings *seen; /* what was found in the photographs; NULL: to be looked at here */
};

/** One job on its way through a matcher. */
struct matching {
	struct matcher *matcher;
	const struct context *ctx;
	const struct job *job;
	struct reply *reply;
	enum face_policy policy;
};

void matcher_matching_init(struct matching *m, struct matcher *matcher, const struct context *ctx,
			   const struct job *job, struct reply *reply);

/** Marks the reply's result as one. */
void matcher_succeed(struct matching *m);

/** Refuses what is about people where there is no store. */
int matcher_check_people(const struct matcher *matcher, const struct job *job, struct error *err) must_check;

/** The similarity from which two faces count as one person's: what the job asks for, or the model's own. */
int matcher_threshold(const struct matcher *matcher, const struct job_options *options, double *threshold,
		      struct error *err) must_check;

/** Faces and embeddings of a photograph, seen before or not; an error that is the photograph's fault says which. */
int matcher_analyse(struct matching *m, const struct job_image *image, char which, struct face_set *faces,
		    struct error *err) must_check;

/** The same, computed here and now, so that the engine has the picture for a closer look. */
int matcher_analyse_afresh(struct matching *m, const struct job_image *image, char which, struct face_set *faces,
			   struct error *err) must_check;

/** How good the first face is and (`portrait` not NULL) its portrait, after matcher_analyse_afresh(). */
int matcher_look_closer(struct matching *m, const struct face_set *faces, struct face_quality *quality,
			struct buffer *portrait, struct error *err) must_check;

/** Fills in the face that a photograph was judged by. */
void matcher_describe(struct reply_face *out, const struct face_set *set, int index);

/* The ops that know people: matcher_people.c. */
int matcher_verify(struct matching *m, struct error *err) must_check;
int matcher_search_alone(struct matching *m, struct error *err) must_check;
int matcher_enroll(struct matching *m, struct error *err) must_check;
int matcher_unenroll(struct matching *m, struct error *err) must_check;

#endif
