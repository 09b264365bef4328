#ifndef FACE_DETECTOR_H
#define FACE_DETECTOR_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/context.h"
#include "base/error.h"
#include "face/candidates.h"
#include "face/image.h"
#include "face/modelset.h"
#include "job/job.h"

/**
 * Finds faces with the detector of a model set. All sessions and buffers are planned by
 * detector_new(): for every input size a square and the common aspects 4:3 and 16:9 both ways.
 * One thread at a time.
 */
struct detector;

/** The model set outlives the detector. */
int detector_new(struct detector **out, const struct modelset *set, struct error *err) must_check;
void detector_free(struct detector *detector);

/** Long side that a decoded picture needs so that every detection frame can be cut from it. */
int detector_enough(const struct detector *detector);

/**
 * Finds the faces of `image` that are not smaller than min_face, in full-size pixels, ordered as
 * candidates_sort() says; the result belongs to the detector and is valid until the next call.
 *
 * Each input size S in turn: the picture, shrunk by min(1, S / long side), at the top left of a black
 * frame. `largest` stops at the first size that finds a face with room for sound landmarks; the other
 * policies need all sizes. What several sizes find is merged. When all find nothing the picture is tried once more at
 * half the first size, inside a border, since a face that fills it is larger than the network expects. Errors: no_face,
 * face_too_small, deadline and cancellation (checked before each pass).
 */
int detector_find(struct detector *detector, const struct context *ctx, const struct image *image,
		  enum face_policy policy, const struct candidates **out, struct error *err) must_check;

/** How the last picture was looked at. */
struct detection_effort {
	int sizes;     /**< input sizes tried, in their order */
	bool bordered; /**< and once more inside a border */
};

struct detection_effort detector_effort(const struct detector *detector);

#endif
