#ifndef FACE_ALIGN_H
#define FACE_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "face/face.h"
#include "face/image.h"

/** Both sides of the template, pixels. */
#define ALIGN_SIDE 112
/** Sides an embedder's input may have. */
#define ALIGN_MIN_SIDE 32
#define ALIGN_MAX_SIDE 512

/**
 * A similarity of the plane: (x, y) becomes (a·x − b·y + tx, b·x + a·y + ty). Its scale is √(a² + b²).
 */
struct similarity {
	double a;
	double b;
	double tx;
	double ty;
};

double similarity_scale(const struct similarity *s);

/**
 * The similarity that brings five landmarks closest (least squares, no mirroring) to the
 * arcface-112 template: the closed form for the plane of S. Umeyama, "Least-squares estimation of
 * transformation parameters between two point patterns", IEEE PAMI 13(4), 1991.
 * -EINVAL when the points coincide.
 */
int align_estimate(const float landmarks[FACE_LANDMARKS][2], struct similarity *out) must_check;

/**
 * Makes a similarity that leads to the template lead to one for faces of width × height pixels: the template scaled to
 * that height, its middle column in the middle. (So 96 × 112 is the template without 8 columns on either side.)
 */
void align_fit(struct similarity *to_template, int width, int height);

/** Working memory of align_warp(), kept from call to call. Zero-initialise; aligner_finish() frees it. */
struct aligner {
	uint8_t *reduced;
	size_t capacity;
};

void aligner_finish(struct aligner *aligner);

/**
 * Cuts the aligned face out of `image`: width × height pixels RGB into `crop`. `to_crop` maps full-size
 * pixels (centres at integers) to them. Bilinear, black outside the picture; where it shrinks
 * the decoded pixels more than twice, their means over whole blocks are taken first. Returns 0 or -ENOMEM.
 */
int align_warp(struct aligner *aligner, const struct image *image, const struct similarity *to_crop, int width,
	       int height, uint8_t *crop) must_check;

#endif
