#ifndef FACE_QUALITY_H
#define FACE_QUALITY_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/face.h"

/** How well a face can be recognised, by what is cheap to measure. */
struct face_quality {
	double eye_distance; /**< between the eyes' centres, pixels of the full-size picture */
	double sharpness;    /**< variance of the Laplacian of the aligned face, grey levels² */
	double yaw;          /**< degrees to either side, 0 = straight; a rough estimate */
	double roll;         /**< degrees to either side, 0 = upright */
};

/** The limits of the gate; one that is 0 lets everything through. */
struct quality_limits {
	double min_eye_distance;
	double min_sharpness;
	double max_yaw;
	double max_roll;
};

/**
 * Measures a face by its landmarks and its aligned crop (ALIGN_SIDE × ALIGN_SIDE, RGB). Sharpness: J. Pech-Pacheco et
 * al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. Yaw: how far the nose stands from the middle
 * between the eyes, taking it to stand out by 0.6 of their distance.
 */
void quality_measure(const float landmarks[FACE_LANDMARKS][2], const uint8_t *crop, struct face_quality *out);

/** Holds a face against the limits: `low_quality` with measure, value and limit of the first that is broken. */
int quality_check(const struct face_quality *quality, const struct quality_limits *limits,
		  struct error *err) must_check;

#endif
