#ifndef FACE_NORMALISE_H
#define FACE_NORMALISE_H

#include <stdint.h>

#include "face/modelset.h"

/** A picture inside a larger black frame. */
struct placement {
	int left;
	int top;
	int width;
	int height;
};

/**
 * Fills a network's input: `planes` is [3][frame_height][frame_width] in the network's colour order,
 * (pixel − mean) / scale, black around the picture. `rgb` has at.width × at.height pixels.
 */
void normalise_frame(const struct normalisation *norm, const uint8_t *rgb, const struct placement *at, float *planes,
		     int frame_width, int frame_height);

#endif
