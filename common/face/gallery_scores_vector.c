/* Compiled once for each instruction set, GALLERY_SCORES being the name. */
#include <string.h>

#include "face/gallery_scores.h"

typedef float vec __attribute__((vector_size(GALLERY_LANES * sizeof(float))));
/* The same vector anywhere in memory. */
typedef float loose_vec __attribute__((vector_size(GALLERY_LANES * sizeof(float)), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

gallery_scores_function GALLERY_SCORES;

INLINE vec load(const float *at)
{
	return *(const loose_vec *)at;
}

INLINE float sum_of(vec v)
{
	float lanes[GALLERY_LANES];

	memcpy(lanes, &v, sizeof(lanes));
	for (int half = GALLERY_LANES / 2; half > 0; half /= 2) {
		for (int i = 0; i < half; i++)
			lanes[i] += lanes[i + half];
	}
	return lanes[0];
}

/* Some queries with one row, whose vectors are loaded once for them all. */
INLINE void products(const int queries, const float *row, size_t stride, const float *query, size_t count, float *score)
{
	vec sum[4] = {{0}};

	for (size_t i = 0; i < stride; i += GALLERY_LANES) {
		vec v = load(row + i);

		for (int q = 0; q < queries; q++)
			sum[q] += v * load(query + q * stride + i);
	}
	for (int q = 0; q < queries; q++)
		score[q * count] = sum_of(sum[q]);
}

void GALLERY_SCORES(const float *rows, size_t stride, size_t count, const float *queries, size_t query_count,
		    float *scores)
{
	for (size_t r = 0; r < count; r++) {
		const float *row = rows + r * stride;
		size_t q = 0;

		for (; q + 4 <= query_count; q += 4)
			products(4, row, stride, queries + q * stride, count, scores + q * count + r);
		for (; q < query_count; q++)
			products(1, row, stride, queries + q * stride, count, scores + q * count + r);
	}
}
