#ifndef FACE_RESIZE_H
#define FACE_RESIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** The run of source samples that one target sample covers: first to last, weighted at both ends. */
struct resize_span {
	int first;
	int last;
	float first_weight;
	float last_weight; /**< unused when first == last */
};

/** Working memory of resize_area(), kept from call to call. Zero-initialise; resizer_finish() frees it. */
struct resizer {
	float *row;                /**< sums of source rows, 3 × width */
	struct resize_span *spans; /**< of the target's columns */
	size_t row_capacity;
	size_t span_capacity;
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
