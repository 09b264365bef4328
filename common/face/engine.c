#include "face/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "face/align.h"
#include "face/embedder.h"
#include "face/image_decode.h"
#include "face/jpeg_write.h"

/* Larger than any detection frame, so that warming runs every input size. */
#define WARM_SIDE 1280

struct face_engine {
	const struct modelset *set;
	struct image_limits limits;
	struct detector *detector;
	struct embedder *embedder;
	struct image picture;
	struct aligner aligner;
	uint8_t *crop; /**< an aligned face, of the embedder's size */
	size_t crop_size;
};

/** One photograph on its way through the engine. */
struct analysis {
	struct face_engine *engine;
	const struct context *ctx;
	const uint8_t *data;
	size_t size;
	enum face_policy policy;
	struct face_set *out;
	struct timings *timings;
	struct error *err;
	struct similarity to_crop[FACE_MAX_PAIRED];
};

int face_engine_new(struct face_engine **out, const struct modelset *set, const struct image_limits *limits,
		    struct error *err)
{
	struct face_engine *engine = calloc(1, sizeof(*engine));
	int rc;

	if (!engine)
		return error_set(err, ERROR_INTERNAL, "no memory for a face engine");
	engine->set = set;
	engine->limits = *limits;
	engine->crop_size = (size_t)set->embedder.width * set->embedder.height * 3;
	engine->crop = malloc(engine->crop_size);
	if (!engine->crop) {
		face_engine_free(engine);
		return error_set(err, ERROR_INTERNAL, "no memory for a face engine");
	}
	rc = detector_new(&engine->detector, set, err);
	if (rc == 0)
		rc = embedder_new(&engine->embedder, set, FACE_MAX_PAIRED, err);
	if (rc) {
		face_engine_free(engine);
		return rc;
	}
	*out = engine;
	return 0;
}

void face_engine_free(struct face_engine *engine)
{
	if (!engine)
		return;
	detector_free(engine->detector);
	embedder_free(engine->embedder);
	image_finish(&engine->picture);
	aligner_finish(&engine->aligner);
	free(engine->crop);
	free(engine);
}

int face_engine_warm(struct face_engine *engine, struct error *err)
{
	struct image *picture = &engine->picture;
	const struct candidates *found;
	struct error none;
	int rc = image_reserve(picture, (size_t)WARM_SIDE * WARM_SIDE * 3, err);

	if (rc)
		return rc;
	memset(picture->pixels, 0, (size_t)WARM_SIDE * WARM_SIDE * 3);
	picture->width = picture->full_width = WARM_SIDE;
	picture->height = picture->full_height = WARM_SIDE;
	/* Nothing is to be found on black: only what is not a verdict is an error here. */
	rc = detector_find(engine->detector, NULL, picture, FACE_POLICY_LARGEST, &found, &none);
	if (rc && none.code != ERROR_NO_FACE && none.code != ERROR_FACE_TOO_SMALL) {
		*err = none;
		return rc;
	}
	memset(engine->crop, 0, engine->crop_size);
	embedder_put(engine->embedder, 0, engine->crop);
	embedder_run(engine->embedder, 1);
	return 0;
}

/** Runs one stage unless the task ended meanwhile, and takes its time. */
static int run_stage(struct analysis *a, enum stage stage, int (*run)(struct analysis *a))
{
	int rc = context_check(a->ctx, stage_name(stage), a->err);
	if (rc)
		return rc;

	int64_t start = clock_monotonic_ns();
	rc = run(a);
	if (a->timings)
		timings_add(a->timings, stage, clock_elapsed_ms(start, clock_monotonic_ns()));
	return rc;
}

static int decode(struct analysis *a)
{
	struct face_engine *e = a->engine;

	return image_decode(&e->picture, a->data, a->size, &e->limits, detector_enough(e->detector), a->err);
}

static int detect(struct analysis *a)
{
	const struct candidates *found;
	int rc = detector_find(a->engine->detector, a->ctx, &a->engine->picture, a->policy, &found, a->err);

	if (rc)
		return rc;
	if (a->policy == FACE_POLICY_REJECT_MULTIPLE && found->count > 1)
		return error_set_limit(a->err, ERROR_MULTIPLE_FACES, "faces", found->count, 1,
				       "%d faces found, the policy allows one", found->count);
	a->out->count = found->count;
	for (int i = 0; i < found->count; i++)
		a->out->faces[i] = found->items[i];

	const struct embedder_spec *embedder = &a->engine->set->embedder;
	int most = a->policy == FACE_POLICY_BEST_PAIR ? FACE_MAX_PAIRED : 1;
	a->out->embedded = found->count < most ? found->count : most;
	for (int i = 0; i < a->out->embedded; i++) {
		if (align_estimate(a->out->faces[i].landmarks, &a->to_crop[i]))
			return error_set(a->err, ERROR_NO_FACE, "the landmarks of face %d coincide", i);
		align_fit(&a->to_crop[i], embedder->width, embedder->height);
	}
	return 0;
}

/** How many times larger the decoded picture has to be so that no face is enlarged for the embedder. */
static double missing_scale(const struct analysis *a)
{
	const struct image *picture = &a->engine->picture;
	double reduction = (double)picture->full_width / picture->width;
	double largest = 0;

	for (int i = 0; i < a->out->embedded; i++)
		largest = fmax(largest, similarity_scale(&a->to_crop[i]) * reduction);
	return largest;
}

static int decode_larger(struct analysis *a)
{
	struct face_engine *e = a->engine;
	int side = e->picture.width > e->picture.height ? e->picture.width : e->picture.height;
	int full = e->picture.full_width > e->picture.full_height ? e->picture.full_width : e->picture.full_height;
	int enough = (int)fmin(ceil(side * missing_scale(a)), full);

	return image_decode(&e->picture, a->data, a->size, &e->limits, enough, a->err);
}

static int align(struct analysis *a)
{
	struct face_engine *e = a->engine;

	const struct embedder_spec *embedder = &e->set->embedder;

	for (int i = 0; i < a->out->embedded; i++) {
		if (align_warp(&e->aligner, &e->picture, &a->to_crop[i], embedder->width, embedder->height, e->crop))
			return error_set(a->err, ERROR_INTERNAL, "no memory to align a face");
		embedder_put(e->embedder, i, e->crop);
	}
	return 0;
}

static int embed(struct analysis *a)
{
	embedder_run(a->engine->embedder, a->out->embedded);
	for (int i = 0; i < a->out->embedded; i++) {
		int rc = embedder_get(a->engine->embedder, i, a->out->embeddings[i], a->err);
		if (rc)
			return rc;
	}
	return 0;
}

int face_engine_analyse(struct face_engine *engine, const struct context *ctx, const uint8_t *data, size_t size,
			enum face_policy policy, struct face_set *out, struct timings *timings, struct error *err)
{
	struct error unused;
	struct analysis a = {
	    .engine = engine,
	    .ctx = ctx,
	    .data = data,
	    .size = size,
	    .policy = policy,
	    .out = out,
	    .timings = timings,
	    .err = err ? err : &unused,
	};
	int rc = run_stage(&a, STAGE_DECODE, decode);

	if (rc == 0)
		rc = run_stage(&a, STAGE_DETECT, detect);
	if (rc == 0 && engine->picture.width < engine->picture.full_width && missing_scale(&a) > 1)
		rc = run_stage(&a, STAGE_DECODE, decode_larger);
	if (rc == 0)
		rc = run_stage(&a, STAGE_ALIGN, align);
	if (rc == 0)
		rc = run_stage(&a, STAGE_EMBED, embed);
	return rc;
}

/* The template enlarged by half in the middle of a portrait: 168 pixels, and 44 around them. */
#define PORTRAIT_SCALE 1.5
#define PORTRAIT_MARGIN ((PORTRAIT_SIDE - ALIGN_SIDE * PORTRAIT_SCALE) / 2)

static int write_portrait(struct face_engine *e, const struct similarity *to_template, struct buffer *out,
			  struct error *err)
{
	const struct similarity to_portrait = {
	    .a = to_template->a * PORTRAIT_SCALE,
	    .b = to_template->b * PORTRAIT_SCALE,
	    .tx = to_template->tx * PORTRAIT_SCALE + PORTRAIT_MARGIN,
	    .ty = to_template->ty * PORTRAIT_SCALE + PORTRAIT_MARGIN,
	};
	uint8_t *pixels = malloc((size_t)PORTRAIT_SIDE * PORTRAIT_SIDE * 3);

	if (!pixels || align_warp(&e->aligner, &e->picture, &to_portrait, PORTRAIT_SIDE, PORTRAIT_SIDE, pixels)) {
		free(pixels);
		return error_set(err, ERROR_INTERNAL, "no memory for a portrait");
	}
	int rc = jpeg_write(pixels, PORTRAIT_SIDE, PORTRAIT_SIDE, PORTRAIT_QUALITY, out, err);
	free(pixels);
	return rc;
}

int face_engine_look(struct face_engine *e, const struct face_set *faces, struct face_quality *quality,
		     struct buffer *portrait, struct error *err)
{
	const struct face *face = &faces->faces[0];
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];
	struct similarity to_template;

	if (align_estimate(face->landmarks, &to_template))
		return error_set(err, ERROR_NO_FACE, "the landmarks of the face coincide");
	if (align_warp(&e->aligner, &e->picture, &to_template, ALIGN_SIDE, ALIGN_SIDE, crop))
		return error_set(err, ERROR_INTERNAL, "no memory to align a face");
	quality_measure(face->landmarks, crop, quality);
	return portrait ? write_portrait(e, &to_template, portrait, err) : 0;
}

int face_engine_embed_portrait(struct face_engine *e, const uint8_t *jpeg, size_t size, float *embedding,
			       struct error *err)
{
	const struct embedder_spec *embedder = &e->set->embedder;
	const struct image_limits limits = {
	    .max_bytes = size, .max_pixels = PORTRAIT_SIDE * PORTRAIT_SIDE, .max_side = PORTRAIT_SIDE};
	struct similarity to_crop = {
	    .a = 1 / PORTRAIT_SCALE, .tx = -PORTRAIT_MARGIN / PORTRAIT_SCALE, .ty = -PORTRAIT_MARGIN / PORTRAIT_SCALE};
	int rc = image_decode(&e->picture, jpeg, size, &limits, 0, err);

	if (rc)
		return rc;
	if (e->picture.width != PORTRAIT_SIDE || e->picture.height != PORTRAIT_SIDE)
		return error_set(err, ERROR_IMAGE_CORRUPT, "a portrait of %d×%d pixels, %d×%d was expected",
				 e->picture.width, e->picture.height, PORTRAIT_SIDE, PORTRAIT_SIDE);
	align_fit(&to_crop, embedder->width, embedder->height);
	if (align_warp(&e->aligner, &e->picture, &to_crop, embedder->width, embedder->height, e->crop))
		return error_set(err, ERROR_INTERNAL, "no memory to align a face");
	embedder_put(e->embedder, 0, e->crop);
	embedder_run(e->embedder, 1);
	return embedder_get(e->embedder, 0, embedding, err);
}

struct detection_effort face_engine_effort(const struct face_engine *engine)
{
	return detector_effort(engine->detector);
}

float face_similarity(const float *a, const float *b, int dimension)
{
	float sum = 0;

	for (int i = 0; i < dimension; i++)
		sum += a[i] * b[i];
	return fminf(fmaxf(sum, -1.0f), 1.0f);
}
