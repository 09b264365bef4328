/*
 * The inner loops, written once with the compiler's vector types. The build compiles this file for
 * each instruction set: NN_VARIANT names the table it exports, NN_LANES the floats in a vector,
 * NN_ROWS the rows of a panel (NN_ROWS × 2 sums and two operands must fit into the registers).
 */
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

INLINE vec load_some(const float *at, int64_t count)
{
	float some[NN_LANES] = {0};

	for (int64_t i = 0; i < count; i++)
		some[i] = at[i];
	return load(some);
}

INLINE void store_some(float *at, vec v, int64_t count)
{
	float some[NN_LANES];

	store(some, v);
	for (int64_t i = 0; i < count; i++)
		at[i] = some[i];
}

/* Finishes `count` (at most NN_LANES) sums of one channel and stores them. */
INLINE void finish(vec sum, const struct nn_epilogue *e, int64_t channel, const float *residual, float *out,
		   int64_t count)
{
	vec added = splat(0);

	if (residual)
		added = count >= NN_LANES ? load(residual) : load_some(residual, count);
	if (e->bias)
		sum += e->bias[channel];
	if (!e->residual_last)
		sum += added;
	if (e->activation == NN_ACTIVATION_CLAMP)
		sum = smaller(larger(sum, splat(e->low)), splat(e->high));
	else if (e->activation == NN_ACTIVATION_SLOPE)
		sum = choose(sum < splat(0), sum * e->slope[channel], sum);
	if (e->residual_last)
		sum += added;
	if (count >= NN_LANES)
		store(out, sum);
	else
		store_some(out, sum, count);
}

/*
 * A panel of `rows` rows times a strip of `vectors` vectors; both are constants where this is
 * inlined. The sums stay in registers for the whole depth and are left in `sums` row by row.
 */
INLINE void multiply(const int rows, const int vectors, int64_t depth, const float *weights, const float *tile,
		     float *sums)
{
	vec sum[NN_ROWS][2];

	for (int r = 0; r < rows; r++) {
		for (int v = 0; v < vectors; v++)
			sum[r][v] = splat(0);
	}
	for (int64_t k = 0; k < depth; k++) {
		vec b[2];

		for (int v = 0; v < vectors; v++)
			b[v] = load(tile + v * NN_LANES);
		for (int r = 0; r < rows; r++) {
			for (int v = 0; v < vectors; v++)
				sum[r][v] += weights[r] * b[v];
		}
		tile += vectors * NN_LANES;
		weights += rows;
	}
	for (int r = 0; r < rows; r++) {
		for (int v = 0; v < vectors; v++)
			store(sums + (r * vectors + v) * NN_LANES, sum[r][v]);
	}
}

typedef void multiply_function(int64_t depth, const float *weights, const float *tile, float *sums);

/* Functions of their own, so that nothing but the sums competes for registers. */
#define MULTIPLY(rows)                                                                                                 \
	static void multiply_##rows##_1(int64_t depth, const float *weights, const float *tile, float *sums)           \
	{                                                                                                              \
		multiply(rows, 1, depth, weights, tile, sums);                                                         \
	}                                                                                                              \
	static void multiply_##rows##_2(int64_t depth, const float *weights, const float *tile, float *sums)           \
	{                                                                                                              \
		multiply(rows, 2, depth, weights, tile, sums);                                                         \
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
	int64_t vectors = job->tile_width / NN_LANES;
	float sums[NN_ROWS * 2 * NN_LANES];

	for (int64_t first = 0; first < job->rows; first += NN_ROWS) {
		int64_t rows = job->rows - first < NN_ROWS ? job->rows - first : NN_ROWS;

		multiply_functions[rows - 1][vectors - 1](job->depth, weights, job->tile, sums);
		weights += rows * job->depth;
		for (int64_t r = 0; r < rows; r++) {
			for (int64_t at = 0; at < job->columns; at += NN_LANES) {
				int64_t to = (first + r) * job->pitch + at;

				finish(load(sums + r * job->tile_width + at), job->epilogue, first + r,
				       job->residual ? job->residual + to : NULL, job->out + to, job->columns - at);
			}
		}
	}
}

/* Copies whole strips and lets the next segment overwrite what was too much. */
INLINE void pack_width(const int vectors, const struct nn_pack *job)
{
	float *tile = job->tile;

	for (int64_t c = 0; c < job->channels; c++) {
		for (int64_t t = 0; t < job->taps; t++) {
			const float *from = job->staged + c * job->plane + job->offsets[t];

			for (int s = 0; s < job->segment_count; s++) {
				const float *source = from + job->segments[s].source;
				float *target = tile + job->segments[s].target;

				for (int v = 0; v < vectors; v++)
					store(target + v * NN_LANES, load(source + v * NN_LANES));
			}
			tile += vectors * NN_LANES;
		}
	}
}

static void pack(const struct nn_pack *job)
{
	if (job->tile_width == NN_LANES)
		pack_width(1, job);
	else
		pack_width(2, job);
}

static void depthwise(const struct nn_slide *job, const float *weights, const struct nn_epilogue *epilogue,
		      int64_t channel, const float *residual)
{
	for (int64_t y = 0; y < job->height; y++) {
		const float *from = job->staged + y * job->pitch;
		float *out = job->out + y * job->width;
		const float *added = residual ? residual + y * job->width : NULL;

		for (int64_t x = 0; x < job->width; x += NN_LANES) {
			vec sum = splat(0);

			for (int64_t t = 0; t < job->taps; t++)
				sum += weights[t] * load(from + job->offsets[t] + x);
			finish(sum, epilogue, channel, added ? added + x : NULL, out + x, job->width - x);
		}
	}
}

INLINE void slide(const bool is_max, const struct nn_slide *job)
{
	for (int64_t y = 0; y < job->height; y++) {
		const float *from = job->staged + y * job->pitch;
		float *out = job->out + y * job->width;

		for (int64_t x = 0; x < job->width; x += NN_LANES) {
			vec all = load(from + job->offsets[0] + x);

			for (int64_t t = 1; t < job->taps; t++) {
				vec tap = load(from + job->offsets[t] + x);
				all = is_max ? larger(all, tap) : all + tap;
			}
			if (job->width - x >= NN_LANES)
				store(out + x, all);
			else
				store_some(out + x, all, job->width - x);
		}
	}
}

static void slide_max(const struct nn_slide *job)
{
	slide(true, job);
}

static void slide_sum(const struct nn_slide *job)
{
	slide(false, job);
}

const struct nn_kernels NN_VARIANT = {
    .name = NN_NAME,
    .lanes = NN_LANES,
    .rows = NN_ROWS,
    .gemm = gemm,
    .pack = pack,
    .depthwise = depthwise,
    .slide_max = slide_max,
    .slide_sum = slide_sum,
};
