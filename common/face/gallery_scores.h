#ifndef FACE_GALLERY_SCORES_H
#define FACE_GALLERY_SCORES_H

#include <stddef.h>

/** Rows of a matrix are whole vectors of this many floats. */
#define GALLERY_LANES 16

/**
 * scores[q * count + r] = the product of query q and row r, `stride` floats each. The sums are the same whatever the
 * neighbours: lane by lane along the row, then the lanes in pairs.
 */
typedef void gallery_scores_function(const float *rows, size_t stride, size_t count, const float *queries,
				     size_t query_count, float *scores);

/** The best for the processor this runs on. */
gallery_scores_function *gallery_scores_best(void);

/** "avx512", "avx2" or "portable"; NULL if not built or this processor lacks the instructions. */
gallery_scores_function *gallery_scores_named(const char *name);

#endif
