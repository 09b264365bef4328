/* Compiled once for each instruction set, GALLERY_SCORES being the name. */
#include <string.h>

#include "face/gallery_scores.h"

/* Lanes of a register, and queries whose sums have room in registers. */
#if defined(__AVX512F__)
#define WIDTH 16
#define QUERIES 4
#elif defined(__AVX__)
#define WIDTH 8
#define QUERIES 4
#else
#define WIDTH 4
#define QUERIES 2
#endif
#define PARTS (GALLERY_LANES / WIDTH)

typedef float vec __attribute__((vector_size(WIDTH * sizeof(float))));
/* The same vector anywhere in memory. */
typedef float loose_vec __attribute__((vector_size(WIDTH * sizeof(float)), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

gallery_scores_function GALLERY_SCORES;

INLINE vec load(const float *at)
{
	return *(const loose_vec *)at;
}

INLINE float sum_of(vec parts[PARTS])
{
	float lanes[WIDTH];

	for (int half = PARTS / 2; half > 0; half /= 2) {
		for (int i = 0; i < half; i++)
			parts[i] += parts[i + half];
	}
	memcpy(lanes, parts, sizeof(lanes));
	for (int half = WIDTH / 2; half > 0; half /= 2) {
		for (int i = 0; i < half; i++)
			lanes[i] += lanes[i + half];
	}
	return lanes[0];
}

/* Some queries with one row, whose vectors are loaded once for them all. */
INLINE void products(const int queries, const float *row, size_t stride, const float *query, size_t count, float *score)
{
	vec sum[QUERIES][PARTS] = {{{0}}};

	for (size_t i = 0; i < stride; i += GALLERY_LANES) {
		for (int p = 0; p < PARTS; p++) {
			vec v = load(row + i + p * WIDTH);

			for (int q = 0; q < queries; q++)
				sum[q][p] += v * load(query + q * stride + i + p * WIDTH);
		}
	}
	for (int q = 0; q < queries; q++)
		score[q * count] = sum_of(sum[q]);
}

#if WIDTH == 16
/* One step of sum_of() for two vectors, and further ones for more: each lane is added to the one it meets there. */
INLINE vec halves(vec a, vec b)
{
	return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
	       __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

INLINE vec quarters(vec a, vec b)
{
	return __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
	       __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

INLINE vec eighths(vec a, vec b)
{
	return __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
	       __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}

INLINE vec sixteenths(vec a, vec b)
{
	return __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30) +
	       __builtin_shufflevector(a, b, 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31);
}

/* Lane i is sum_of(sum[i]): vectors meet in the order that leaves the lanes in theirs. */
INLINE vec sums_of(const vec sum[16])
{
	vec four[4];

	for (int i = 0; i < 4; i++)
		four[i] = quarters(halves(sum[i], sum[i + 4]), halves(sum[i + 8], sum[i + 12]));
	return sixteenths(eighths(four[0], four[1]), eighths(four[2], four[3]));
}

/* `rows` times `queries` is 16. So many floats `ahead` of each the memory is asked for what comes next (0: no). */
INLINE void tile(const int rows, const int queries, const float *row, size_t stride, const float *query, size_t count,
		 float *score, size_t ahead)
{
	vec sum[16] = {{0}};

	for (size_t i = 0; i < stride; i += GALLERY_LANES) {
		for (int r = 0; r < rows; r++) {
			vec v = load(row + r * stride + i);

			if (ahead)
				__builtin_prefetch(row + r * stride + i + ahead);
			for (int q = 0; q < queries; q++)
				sum[q * rows + r] += v * load(query + q * stride + i);
		}
	}
	vec all = sums_of(sum);
	for (int q = 0; q < queries; q++)
		memcpy(score + q * count, (const float *)&all + q * rows, (size_t)rows * sizeof(float));
}
#endif

void GALLERY_SCORES(const float *rows, size_t stride, size_t count, const float *queries, size_t query_count,
		    float *scores)
{
	size_t q;

#if WIDTH == 16
	size_t tiles = count / 16 * 16;

	for (size_t r = 0; r < tiles; r += 16) {
		for (q = 0; q + QUERIES <= query_count; q += QUERIES) {
			/* Busy with these products, the processor does not look far enough ahead by itself. */
			for (size_t i = r; i < r + 16; i += 4)
				tile(4, QUERIES, rows + i * stride, stride, queries + q * stride, count,
				     scores + q * count + i, q == 0 ? 16 * stride : 0);
		}
		for (; q < query_count; q++)
			tile(16, 1, rows + r * stride, stride, queries + q * stride, count, scores + q * count + r, 0);
	}
#else
	size_t tiles = 0;
#endif
	for (size_t r = tiles; r < count; r++) {
		const float *row = rows + r * stride;

		for (q = 0; q + QUERIES <= query_count; q += QUERIES)
			products(QUERIES, row, stride, queries + q * stride, count, scores + q * count + r);
		for (; q < query_count; q++)
			products(1, row, stride, queries + q * stride, count, scores + q * count + r);
	}
}
