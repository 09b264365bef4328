/*
 * The inner loops, written once with the compiler's vector types. The build compiles this file for
 * each instruction set: NN_VARIANT names the table it exports, NN_LANES the floats in a vector,
 * NN_ROWS the rows of a panel (NN_ROWS × 2 sums and two operands must fit into the registers).
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

/*
 * A panel of `rows` rows of weights, from row `first` on, times a strip of `vectors` vectors; both are constants
 * where this is inlined. The sums stay in registers until they are finished.
 */
INLINE void multiply(const int rows, const int vectors, const struct nn_gemm *job, const float *weights, int64_t first)
{
	const struct nn_gemm j = *job; /* a copy that no store can change */
	const float *tile = j.tile;
	vec sum[NN_ROWS][2];

	for (int r = 0; r < rows; r++) {
		for (int v = 0; v < vectors; v++)
			sum[r][v] = splat(0);
	}
	for (int64_t k = 0; k < j.depth; k++) {
		vec b[2];

		for (int v = 0; v < vectors; v++)
			b[v] = load(tile + v * NN_LANES);
		for (int r = 0; r < rows; r++) {
			for (int v = 0; v < vectors; v++)
				sum[r][v] += weights[r] * b[v];
		}
		tile += j.tile_pitch;
		weights += rows;
	}
	for (int r = 0; r < rows; r++) {
		struct ending ending = ending_of(j.epilogue, first + r);
		int64_t row = (first + r) * j.pitch;

		for (int v = 0; v < vectors; v++) {
			int64_t at = row + v * NN_LANES;
			vec done = finish(sum[r][v], &ending, j.residual ? j.residual + at : NULL);

			store_up_to(j.out + at, done, j.columns - v * NN_LANES);
		}
	}
}

typedef void multiply_function(const struct nn_gemm *job, const float *weights, int64_t first);

/* Functions of their own, so that nothing but the sums competes for registers. */
#define MULTIPLY(rows)                                                                                                 \
	static void multiply_##rows##_1(const struct nn_gemm *job, const float *weights, int64_t first)                \
	{                                                                                                              \
		multiply(rows, 1, job, weights, first);                                                                \
	}                                                                                                              \
	static void multiply_##rows##_2(const struct nn_gemm *job, const float *weights, int64_t first)                \
	{                                                                                                              \
		multiply(rows, 2, job, weights, first);                                                                \
	}

MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
#if NN_ROWS > 4
MULTIPLY(5)
MULTIPLY(6)
#endif
#if NN_ROWS > 6
MULTIPLY(7)
MULTIPLY(8)
#endif

/* By rows - 1 and vectors - 1. */
static multiply_function *const multiply_functions[NN_ROWS][2] = {
    {multiply_1_1, multiply_1_2}, {multiply_2_1, multiply_2_2},
    {multiply_3_1, multiply_3_2}, {multiply_4_1, multiply_4_2},
#if NN_ROWS > 4
    {multiply_5_1, multiply_5_2}, {multiply_6_1, multiply_6_2},
#endif
#if NN_ROWS > 6
    {multiply_7_1, multiply_7_2}, {multiply_8_1, multiply_8_2},
#endif
};

static void gemm(const struct nn_gemm *job)
{
	const float *weights = job->weights;

	for (int64_t first = 0; first < job->rows; first += NN_ROWS) {
		int64_t rows = job->rows - first < NN_ROWS ? job->rows - first : NN_ROWS;

		multiply_functions[rows - 1][job->vectors - 1](job, weights, first);
		weights += rows * job->depth;
	}
}

/* Copies whole vectors and lets the next segment overwrite what was too much. */
static void pack(const struct nn_pack *job)
{
	const struct nn_pack j = *job;
	float *tile = j.tile;

	for (int64_t c = 0; c < j.channels; c++) {
		for (int64_t t = 0; t < j.taps; t++, tile += j.tile_width) {
			const float *from = j.staged + c * j.plane + j.offsets[t];

			for (int s = 0; s < j.segment_count; s++) {
				const float *source = from + j.segments[s].source;
				float *target = tile + j.segments[s].target;

				store(target, load(source));
				for (int v = 1; v < j.segments[s].vectors; v++)
					store(target + v * NN_LANES, load(source + v * NN_LANES));
			}
		}
	}
}

INLINE void copy_row(const float *from, int64_t stride, float *to, int64_t count)
{
	if (stride > 2) {
		for (int64_t x = 0; x < count; x++)
			to[x] = from[x * stride];
		return;
	}
	for (int64_t x = 0; x < count; x += NN_LANES) {
		vec v = stride == 1 ? load(from + x) : evens(load(from + 2 * x), load(from + 2 * x + NN_LANES));

		store_up_to(to + x, v, count - x);
	}
}

static void copy(const struct nn_part *parts, int64_t count, const float *channel, float *planes)
{
	for (int64_t i = 0; i < count; i++) {
		const struct nn_part part = parts[i];

		for (int64_t y = 0; y < part.rows; y++)
			copy_row(channel + part.from + y * part.from_pitch, part.stride,
				 planes + part.to + y * part.to_pitch, part.columns);
	}
}

/* Floats 1 … NN_LANES, and 2 … NN_LANES + 1, of the two neighbours a and b at `at`. */
#if NN_LANES == 16
/* Loading them instead would cross a cache line almost always. */
INLINE vec ahead_1(const float *at, vec a, vec b)
{
	(void)at;
	return __builtin_shufflevector(a, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

INLINE vec ahead_2(const float *at, vec a, vec b)
{
	(void)at;
	return __builtin_shufflevector(a, b, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17);
}
#else
INLINE vec ahead_1(const float *at, vec a, vec b)
{
	(void)a;
	(void)b;
	return load(at + 1);
}

INLINE vec ahead_2(const float *at, vec a, vec b)
{
	(void)a;
	(void)b;
	return load(at + 2);
}
#endif

/* Nine taps of a 3×3 window that moves by one; its rows are `pitch` apart. */
static void depthwise_unit(const struct nn_slide *job, const float *weights, const struct ending *ending,
			   const float *residual)
{
	const struct nn_slide j = *job;
	const struct ending e = *ending;
	vec weight[9];

	for (int t = 0; t < 9; t++)
		weight[t] = splat(weights[t]);
	for (int64_t y = 0; y < j.height; y++) {
		for (int64_t x = 0; x < j.width; x += NN_LANES) {
			const float *from = j.staged + y * j.pitch + x;
			int64_t at = y * j.width + x;
			vec sum = splat(0);

			for (int row = 0; row < 3; row++, from += j.pitch) {
				vec a = load(from);
				vec b = load(from + NN_LANES);

				sum += weight[3 * row] * a;
				sum += weight[3 * row + 1] * ahead_1(from, a, b);
				sum += weight[3 * row + 2] * ahead_2(from, a, b);
			}
			sum = finish(sum, &e, residual ? residual + at : NULL);
			store_up_to(j.out + at, sum, j.width - x);
		}
	}
}

/* Nine taps and their weights stay in registers. */
static void depthwise_3x3(const struct nn_slide *job, const float *weights, const struct ending *ending,
			  const float *residual)
{
	const struct nn_slide j = *job;
	const struct ending e = *ending;
	int64_t offsets[9];
	vec weight[9];

	for (int t = 0; t < 9; t++) {
		offsets[t] = j.offsets[t];
		weight[t] = splat(weights[t]);
	}
	for (int64_t y = 0; y < j.height; y++) {
		const float *from = j.staged + y * j.pitch;

		for (int64_t x = 0; x < j.width; x += NN_LANES) {
			int64_t at = y * j.width + x;
			vec sum = splat(0);

			for (int t = 0; t < 9; t++)
				sum += weight[t] * load(from + offsets[t] + x);
			sum = finish(sum, &e, residual ? residual + at : NULL);
			store_up_to(j.out + at, sum, j.width - x);
		}
	}
}

static void depthwise_any(const struct nn_slide *job, const float *weights, const struct ending *ending,
			  const float *residual)
{
	const struct nn_slide j = *job;

	for (int64_t y = 0; y < j.height; y++) {
		const float *from = j.staged + y * j.pitch;

		for (int64_t x = 0; x < j.width; x += NN_LANES) {
			int64_t at = y * j.width + x;
			vec sum = splat(0);

			for (int64_t t = 0; t < j.taps; t++)
				sum += weights[t] * load(from + j.offsets[t] + x);
			sum = finish(sum, ending, residual ? residual + at : NULL);
			store_up_to(j.out + at, sum, j.width - x);
		}
	}
}

/* Of `count` floats side by side. */
INLINE float dot(const float *a, const float *b, int64_t count)
{
	vec sums = splat(0);
	float sum = 0;
	int64_t i = 0;

	for (; i + NN_LANES <= count; i += NN_LANES)
		sums += load(a + i) * load(b + i);
	for (int64_t k = 0; k < NN_LANES; k++)
		sum += sums[k];
	for (; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static void depthwise(const struct nn_slide *job, const float *weights, const struct nn_epilogue *epilogue,
		      int64_t channel, const float *residual)
{
	struct ending ending = ending_of(epilogue, channel);

	if (job->is_whole) {
		vec sum = splat(dot(job->staged, weights, job->taps));
		store_some(job->out, finish(sum, &ending, residual), 1);
	} else if (job->taps == 9 && job->offsets[2] == 2 && job->offsets[3] == job->pitch) {
		depthwise_unit(job, weights, &ending, residual);
	} else if (job->taps == 9) {
		depthwise_3x3(job, weights, &ending, residual);
	} else {
		depthwise_any(job, weights, &ending, residual);
	}
}

INLINE void slide(const bool is_max, const int64_t taps, const struct nn_slide *job)
{
	const struct nn_slide j = *job;

	for (int64_t y = 0; y < j.height; y++) {
		const float *from = j.staged + y * j.pitch;

		for (int64_t x = 0; x < j.width; x += NN_LANES) {
			vec all = load(from + j.offsets[0] + x);

			for (int64_t t = 1; t < taps; t++) {
				vec tap = load(from + j.offsets[t] + x);
				all = is_max ? larger(all, tap) : all + tap;
			}
			store_up_to(j.out + y * j.width + x, all, j.width - x);
		}
	}
}

static void slide_max(const struct nn_slide *job)
{
	if (job->taps == 4)
		slide(true, 4, job);
	else
		slide(true, job->taps, job);
}

static void slide_sum(const struct nn_slide *job)
{
	slide(false, job->taps, job);
}

const struct nn_kernels NN_VARIANT = {
    .name = NN_NAME,
    .lanes = NN_LANES,
    .rows = NN_ROWS,
    .gemm = gemm,
    .pack = pack,
    .copy = copy,
    .depthwise = depthwise,
    .slide_max = slide_max,
    .slide_sum = slide_sum,
};
