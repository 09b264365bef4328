#ifndef NN_KERNELS_VECTOR_H
#define NN_KERNELS_VECTOR_H

/*
 * Vectors of NN_LANES floats, for the files that the build compiles once for each instruction set: NN_VARIANT names
 * the table of kernels, NN_LANES the floats in a vector, NN_TILE_BLOCKS the blocks that registers allow a tile (4 of
 * 32, 2 of 16).
 */
#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "nn/kernels/variants.h"

#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(NN_LANES * 4)));
typedef int32_t mask __attribute__((vector_size(NN_LANES * 4)));
/* The same vector anywhere in memory. */
typedef float loose_vec __attribute__((vector_size(NN_LANES * 4), aligned(4), may_alias));

INLINE vec load(const float *at)
{
	return *(const loose_vec *)at;
}

INLINE void store(float *at, vec v)
{
	*(loose_vec *)at = v;
}

INLINE vec splat(float x)
{
	return x - (vec){0};
}

INLINE vec choose(mask which, vec yes, vec no)
{
	return (vec)(((mask)yes & which) | ((mask)no & ~which));
}

INLINE vec larger(vec a, vec b)
{
	return choose(a > b, a, b);
}

INLINE vec smaller(vec a, vec b)
{
	return choose(a < b, a, b);
}

/* Stores the first `count` (1 … NN_LANES) floats of a vector. Reading needs no such thing: tensors have slack behind.
 */
INLINE void store_some(float *at, vec v, int64_t count)
{
#if defined(__AVX512F__)
	_mm512_mask_storeu_ps(at, (__mmask16)((1u << count) - 1), (__m512)v);
#elif defined(__AVX__)
	static const int32_t window[2 * NN_LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};

	_mm256_maskstore_ps(at, _mm256_loadu_si256((const __m256i_u *)(window + NN_LANES - count)), (__m256)v);
#else
	for (int64_t i = 0; i < count; i++)
		at[i] = v[i];
#endif
}

INLINE void store_up_to(float *at, vec v, int64_t count)
{
	if (count >= NN_LANES)
		store(at, v);
	else
		store_some(at, v, count);
}

/* Every other float of two neighbouring vectors. */
INLINE vec evens(vec a, vec b)
{
#if NN_LANES == 16
	return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif NN_LANES == 8
	return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
	return __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
}

INLINE vec odds(vec a, vec b)
{
#if NN_LANES == 16
	return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif NN_LANES == 8
	return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
	return __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

/* The sum of each of NN_LANES vectors, which it uses up. */
INLINE vec sums(vec v[NN_LANES])
{
	for (int count = NN_LANES; count > 1; count /= 2) {
		for (int i = 0; i < count / 2; i++)
			v[i] = evens(v[2 * i], v[2 * i + 1]) + odds(v[2 * i], v[2 * i + 1]);
	}
	return v[0];
}

/* An epilogue for one channel, ready to use. */
struct ending {
	vec bias;
	vec slope;
	vec low;
	vec high;
	enum nn_activation activation;
	bool residual_last;
};

INLINE struct ending ending_of(const struct nn_epilogue *e, int64_t channel)
{
	return (struct ending){
	    .bias = splat(e->bias ? e->bias[channel] : 0),
	    .slope = splat(e->activation == NN_ACTIVATION_SLOPE ? e->slope[channel] : 0),
	    .low = splat(e->low),
	    .high = splat(e->high),
	    .activation = e->activation,
	    .residual_last = e->residual_last,
	};
}

/* Finishes the sums of one channel; `residual` may be NULL. */
INLINE vec finish(vec sum, const struct ending *e, const float *residual)
{
	sum += e->bias;
	if (residual && !e->residual_last)
		sum += load(residual);
	if (e->activation == NN_ACTIVATION_CLAMP)
		sum = smaller(larger(sum, e->low), e->high);
	else if (e->activation == NN_ACTIVATION_SLOPE)
		sum = choose(sum < splat(0), sum * e->slope, sum);
	if (residual && e->residual_last)
		sum += load(residual);
	return sum;
}

/* An epilogue for the channels of a block. */
INLINE struct ending ending_of_block(const struct nn_epilogue *e, int64_t channel)
{
	return (struct ending){
	    .bias = load(e->bias + channel),
	    .slope = e->activation == NN_ACTIVATION_SLOPE ? load(e->slope + channel) : splat(0),
	    .low = splat(e->low),
	    .high = splat(e->high),
	    .activation = e->activation,
	    .residual_last = e->residual_last,
	};
}

/* The functions of a variant that are not in the file of its table. */
#define NN_JOIN_2(a, b) a##_##b
#define NN_JOIN(a, b) NN_JOIN_2(a, b)
#define NN_OF_VARIANT(name) NN_JOIN(NN_VARIANT, name)

void NN_OF_VARIANT(tiles)(const struct nn_tiles *job);
void NN_OF_VARIANT(copy_blocks)(const struct nn_part *parts, int64_t count, const float *block, float *planes);
void NN_OF_VARIANT(depthwise_block)(const struct nn_block_window *job, const float *weights,
				    const struct nn_epilogue *epilogue, int64_t channel, const float *residual);
void NN_OF_VARIANT(max_block)(const struct nn_block_window *job);
void NN_OF_VARIANT(pick_block)(const float *pixels, const int64_t *columns, int64_t count, float *out);

#endif
