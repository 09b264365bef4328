#ifndef FACE_GALLERY_INT8_H
#define FACE_GALLERY_INT8_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * A copy of a gallery's rows in 8 bits: a quarter of the memory to read, to find the rows that may reach a bound. Those
 * alone are compared in float32, so nothing that is found depends on it.
 *
 * With q' and r' for what the codes of query and row stand for, <q,r> = <q',r'> + <q-q',r> + <q',r-r'>. The first is
 * an integer times the scales, the others are at most |q-q'| |r| and |q'| |r-r'|. Sums in float32 are off by no more
 * than so many units of 2^-24 as they have roundings, times |q| |r| (N. J. Higham, "Accuracy and Stability of Numerical
 * Algorithms", 2nd ed., section 3.1): that is added, doubled. So the estimate is never below the score in float32.
 */

/** Rows of a block; four codes of each lie side by side, then the next four. stride · GALLERY_BLOCK bytes in all. */
#define GALLERY_BLOCK 16

struct gallery_block {
	float scale;    /**< a code c stands for scale · (c - 128) */
	float norm;     /**< none of the rows is longer; INFINITY: nothing is known of them */
	float residual; /**< none is further from what its codes stand for */
};

/** A query in 8 bits. */
struct gallery_int8_query {
	float scale;
	float norm;     /**< what a unit of a block's norm adds to the estimate */
	float residual; /**< and a unit of its residual */
	int32_t start;  /**< of each sum: takes back the 128 of the rows' codes */
	int8_t *codes;  /**< the caller's, room for `stride`, like wide */
	int16_t *wide;  /**< the same, of each four 0 2 1 3 */
};

/**
 * masks[q * count + b]: bit i is set unless row i of block b is below bounds[q] for sure.
 */
typedef void gallery_int8_function(const uint8_t *codes, const struct gallery_block *blocks, size_t count,
				   size_t stride, const struct gallery_int8_query *queries, size_t query_count,
				   const float *bounds, uint16_t *masks);

/** The best for the processor this runs on; NULL if none is faster than float32. */
gallery_int8_function *gallery_int8_best(void);

/** "vnni", "avx2" or "sse2"; NULL if not built or this processor lacks the instructions. */
gallery_int8_function *gallery_int8_named(const char *name);

/** Writes a block's codes from its rows. */
void gallery_int8_pack(const float *rows, size_t stride, uint8_t *codes, struct gallery_block *block);

/** -ERANGE for a query of which nothing can be said: too long, or not of numbers. */
int gallery_int8_query(struct gallery_int8_query *out, const float *query, size_t stride) must_check;

#endif
