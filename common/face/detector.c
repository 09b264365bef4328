#include "face/detector.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "face/decoder.h"
#include "face/normalise.h"
#include "face/resize.h"
#include "nn/nn.h"

/** Frames are multiples of this: the largest stride there is. */
#define FRAME_STEP 32

/**
 * A face whose shorter side is below this in the frame is looked for again in a larger one: its
 * landmarks are too coarse. (Cosine of a face with itself, found at several sizes by the default set:
 * 0.98 at 64 pixels, 0.95 at 24, 0.85 at 14, 0.68 at 10.)
 */
#define FIRM_SIDE 24

/** Shapes planned for each input size S, as sides in 48ths of S (4:3 and 16:9, both ways, and the square). */
static const struct {
	int width;
	int height;
} aspects[] = {{48, 27}, {27, 48}, {48, 36}, {36, 48}, {48, 48}};

#define MAX_FRAMES (MODELSET_MAX_SIZES * array_size(aspects))

/** A session and the size of its input. */
struct frame {
	int width;
	int height;
	struct nn_session *session;
};

struct detector {
	const struct detector_spec *spec;
	struct decoder_outputs outputs;
	struct nn_workspace *workspace;  /**< of all frames: only one is looked at at a time */
	struct frame frames[MAX_FRAMES]; /**< by rising area */
	size_t frame_count;
	int largest_size;
	struct resizer resizer;
	uint8_t *shrunk; /**< largest_size² pixels RGB */
	struct candidates candidates;
	float firm_side; /**< FIRM_SIDE of the last pass in full-size pixels */
	struct detection_effort effort;
};

static int round_up(int value)
{
	return (value + FRAME_STEP - 1) / FRAME_STEP * FRAME_STEP;
}

static bool has_frame(const struct detector *d, int width, int height)
{
	for (size_t i = 0; i < d->frame_count; i++) {
		if (d->frames[i].width == width && d->frames[i].height == height)
			return true;
	}
	return false;
}

static int add_frame(struct detector *d, const struct nn_model *model, int width, int height, struct error *err)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, height, width}};
	struct frame frame = {.width = width, .height = height};

	if (has_frame(d, width, height))
		return 0;
	int rc = nn_session_new_in(&frame.session, model, &shape, 0, d->workspace, err);
	if (rc)
		return rc;

	size_t at = d->frame_count++;
	for (; at > 0 && d->frames[at - 1].width * d->frames[at - 1].height > width * height; at--)
		d->frames[at] = d->frames[at - 1];
	d->frames[at] = frame;
	return 0;
}

static int add_frames(struct detector *d, const struct nn_model *model, struct error *err)
{
	for (int i = 0; i < d->spec->input_size_count; i++) {
		int size = d->spec->input_sizes[i];

		if (size > d->largest_size)
			d->largest_size = size;
		for (size_t k = 0; k < array_size(aspects); k++) {
			int rc = add_frame(d, model, round_up(size * aspects[k].width / 48),
					   round_up(size * aspects[k].height / 48), err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

int detector_new(struct detector **out, const struct modelset *set, struct error *err)
{
	struct detector *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return error_set(err, ERROR_INTERNAL, "no memory for a detector");
	d->spec = &set->detector;
	rc = d->spec->decoder->find_outputs(set->detector_model, d->spec, &d->outputs, err);
	if (rc)
		goto fail;
	rc = nn_workspace_new(&d->workspace, err);
	if (rc == 0)
		rc = add_frames(d, set->detector_model, err);
	if (rc)
		goto fail;

	int side = round_up(d->largest_size);
	d->candidates.capacity = FACE_MAX_FACES + d->spec->decoder->cells(d->spec, side, side);
	d->candidates.items = calloc(d->candidates.capacity, sizeof(*d->candidates.items));
	d->shrunk = malloc((size_t)d->largest_size * d->largest_size * 3);
	if (!d->candidates.items || !d->shrunk) {
		rc = error_set(err, ERROR_INTERNAL, "no memory for a detector");
		goto fail;
	}
	*out = d;
	return 0;
fail:
	detector_free(d);
	return rc;
}

void detector_free(struct detector *detector)
{
	if (!detector)
		return;
	for (size_t i = 0; i < detector->frame_count; i++)
		nn_session_free(detector->frames[i].session);
	nn_workspace_free(detector->workspace);
	resizer_finish(&detector->resizer);
	free(detector->candidates.items);
	free(detector->shrunk);
	free(detector);
}

int detector_enough(const struct detector *detector)
{
	return detector->largest_size;
}

/** The smallest planned frame that holds width × height; NULL if none does. */
static struct frame *frame_for(struct detector *d, int width, int height)
{
	for (size_t i = 0; i < d->frame_count; i++) {
		if (d->frames[i].width >= width && d->frames[i].height >= height)
			return &d->frames[i];
	}
	return NULL;
}

static int scaled(int side, double scale)
{
	int result = (int)lround(side * scale);

	return result < 1 ? 1 : result;
}

/** From pixels of the frame to those of the full-size picture. */
static void to_full_size(struct face *face, const struct image *image, const struct placement *at)
{
	float rx = (float)image->full_width / (float)at->width;
	float ry = (float)image->full_height / (float)at->height;

	face->box[0] = (face->box[0] - (float)at->left) * rx;
	face->box[1] = (face->box[1] - (float)at->top) * ry;
	face->box[2] *= rx;
	face->box[3] *= ry;
	for (int i = 0; i < FACE_LANDMARKS; i++) {
		face->landmarks[i][0] = (face->landmarks[i][0] - (float)at->left) * rx;
		face->landmarks[i][1] = (face->landmarks[i][1] - (float)at->top) * ry;
	}
}

/** One run of the network; adds what it finds to the candidates and thins them out. */
static int run_pass(struct detector *d, const struct image *image, const struct placement *at, struct error *err)
{
	struct frame *frame = frame_for(d, 2 * at->left + at->width, 2 * at->top + at->height);

	if (!frame)
		return error_set(err, ERROR_INTERNAL, "no detection frame for %d×%d pixels", at->width, at->height);
	if (resize_area(&d->resizer, image->pixels, image->width, image->height, d->shrunk, at->width, at->height))
		return error_set(err, ERROR_INTERNAL, "no memory to shrink a picture");
	normalise_frame(&d->spec->norm, d->shrunk, at, nn_session_input(frame->session), frame->width, frame->height);
	nn_session_run(frame->session, 1);

	int fresh = d->candidates.count;
	d->spec->decoder->decode(frame->session, d->spec, &d->outputs, frame->width, frame->height, &d->candidates);
	for (int i = fresh; i < d->candidates.count; i++)
		to_full_size(&d->candidates.items[i], image, at);
	candidates_supersede(&d->candidates, fresh, d->firm_side, d->spec->nms_iou);
	candidates_suppress(&d->candidates, d->spec->nms_iou);
	d->firm_side = (float)FIRM_SIDE * (float)image->full_width / (float)at->width;
	return 0;
}

static bool has_face_of(const struct detector *d, float side)
{
	for (int i = 0; i < d->candidates.count; i++) {
		if (candidates_side(&d->candidates.items[i]) >= side)
			return true;
	}
	return false;
}

/** Passes over the input sizes, until the policy is satisfied or a larger size would show nothing new. */
static int run_sizes(struct detector *d, const struct context *ctx, const struct image *image, enum face_policy policy,
		     struct error *err)
{
	int side = image->full_width > image->full_height ? image->full_width : image->full_height;

	for (int i = 0; i < d->spec->input_size_count; i++) {
		double scale = fmin(1, (double)d->spec->input_sizes[i] / side);
		struct placement at = {
		    .width = scaled(image->full_width, scale),
		    .height = scaled(image->full_height, scale),
		};
		int rc = context_check(ctx, "detect", err);

		d->effort.sizes++;
		if (rc == 0)
			rc = run_pass(d, image, &at, err);
		if (rc)
			return rc;
		float wanted = fmaxf(d->firm_side, (float)d->spec->min_face);
		if (scale == 1 || (policy == FACE_POLICY_LARGEST && has_face_of(d, wanted)))
			return 0;
	}
	return 0;
}

static int run_bordered(struct detector *d, const struct context *ctx, const struct image *image, struct error *err)
{
	int side = image->full_width > image->full_height ? image->full_width : image->full_height;
	double scale = fmin(1, d->spec->input_sizes[0] / 2.0 / side);
	struct placement at = {
	    .width = scaled(image->full_width, scale),
	    .height = scaled(image->full_height, scale),
	};
	int rc = context_check(ctx, "detect", err);

	if (rc)
		return rc;
	d->effort.bordered = true;
	at.left = at.width / 2;
	at.top = at.height / 2;
	return run_pass(d, image, &at, err);
}

/** Leaves out the faces below min_face; an error if that leaves none. */
static int drop_small(struct detector *d, struct error *err)
{
	struct candidates *c = &d->candidates;
	float longest = 0;
	int kept = 0;

	if (c->count == 0)
		return error_set(err, ERROR_NO_FACE, "no face found");
	for (int i = 0; i < c->count; i++) {
		float side = candidates_side(&c->items[i]);

		longest = fmaxf(longest, side);
		if (side >= (float)d->spec->min_face)
			c->items[kept++] = c->items[i];
	}
	c->count = kept;
	if (kept == 0)
		return error_set_limit(err, ERROR_FACE_TOO_SMALL, "face_side", longest, d->spec->min_face,
				       "the largest face found measures %.0f pixels, at least %d are needed",
				       (double)longest, d->spec->min_face);
	return 0;
}

int detector_find(struct detector *detector, const struct context *ctx, const struct image *image,
		  enum face_policy policy, const struct candidates **out, struct error *err)
{
	detector->candidates.count = 0;
	detector->firm_side = 0;
	detector->effort = (struct detection_effort){0};
	int rc = run_sizes(detector, ctx, image, policy, err);
	if (rc == 0 && detector->candidates.count == 0)
		rc = run_bordered(detector, ctx, image, err);
	if (rc == 0)
		rc = drop_small(detector, err);
	if (rc)
		return rc;
	candidates_sort(&detector->candidates);
	*out = &detector->candidates;
	return 0;
}

struct detection_effort detector_effort(const struct detector *detector)
{
	return detector->effort;
}
