#ifndef FACE_ENGINE_H
#define FACE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "face/detector.h"
#include "face/face.h"
#include "face/image.h"
#include "face/modelset.h"
#include "face/quality.h"
#include "job/job.h"
#include "job/reply.h"

#define FACE_MAX_DIMENSION MODELSET_MAX_DIMENSION

/** What was found in one photograph: faces by falling area (then score), embeddings of the first `embedded`. */
struct face_set {
	int count;
	struct face faces[FACE_MAX_FACES];
	int embedded;
	float embeddings[FACE_MAX_PAIRED][FACE_MAX_DIMENSION]; /**< L2-normalised, `dimension` used */
};

/** Everything one compute thread needs to turn photographs into embeddings; reuses its buffers. One thread at a time.
 */
struct face_engine;

/** The model set outlives the engine. Sessions for every input size are planned here, so that no job pays for it. */
int face_engine_new(struct face_engine **out, const struct modelset *set, const struct image_limits *limits,
		    struct error *err) must_check;
void face_engine_free(struct face_engine *engine);

/** Runs both networks once on black, so that the first job finds code, weights and buffers in memory. */
int face_engine_warm(struct face_engine *engine, struct error *err) must_check;

/**
 * Decode, detect, align, embed. `policy` decides how many faces are embedded (largest and
 * reject_multiple: 1, best_pair: up to 8) and whether detection may stop at the first size that
 * finds one. Errors: those of image_decode(), no_face, multiple_faces, face_too_small, deadline and
 * cancellation (checked before each stage). Stage times are added to `timings` (may be NULL).
 */
int face_engine_analyse(struct face_engine *engine, const struct context *ctx, const uint8_t *data, size_t size,
			enum face_policy policy, struct face_set *out, struct timings *timings,
			struct error *err) must_check;

/* A portrait is what an enrolment keeps of a photograph, for models that come later: the face, aligned like the
 * template and with a margin around it, as a JPEG of PORTRAIT_SIDE × PORTRAIT_SIDE. */
#define PORTRAIT_SIDE 256
#define PORTRAIT_QUALITY 95

/**
 * Looks closer at the first face of the photograph that face_engine_analyse() has just been through: how good it is
 * and (`portrait` not NULL) its portrait, appended.
 */
int face_engine_look(struct face_engine *engine, const struct face_set *faces, struct face_quality *quality,
		     struct buffer *portrait, struct error *err) must_check;

/** The embedding (L2-normalised) of a portrait: no detection, since it is known where the face is. */
int face_engine_embed_portrait(struct face_engine *engine, const uint8_t *jpeg, size_t size, float *embedding,
			       struct error *err) must_check;

/** How the detector looked at the last photograph, whether or not it found anything. */
struct detection_effort face_engine_effort(const struct face_engine *engine);

/** Cosine of two L2-normalised embeddings. */
float face_similarity(const float *a, const float *b, int dimension);

#endif
