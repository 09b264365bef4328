#ifndef FACE_RESIZE_H
#define FACE_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** Working memory of resize_area(), kept from call to call. Zero-initialise; resizer_finish() frees it. */
struct resizer {
	float *row;
	size_t capacity;
};

void resizer_finish(struct resizer *resizer);

/**
 * Shrinks an RGB picture (rows without padding) with an area filter: each pixel of `to` is the mean
 * of the area of `from` it covers, partly covered pixels in proportion. Meant for to ≤ from on both
 * axes. Returns 0 or -ENOMEM.
 */
int resize_area(struct resizer *resizer, const uint8_t *from, int from_width, int from_height, uint8_t *to,
		int to_width, int to_height) must_check;

#endif
