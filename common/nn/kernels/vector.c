/*
 * The inner loops over planes, written once with the compiler's vector types, and the table of all kernels.
 */
#include "nn/kernels/vector.h"

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
    .tile_blocks = NN_TILE_BLOCKS,
    .tiles = NN_OF_VARIANT(tiles),
    .copy_blocks = NN_OF_VARIANT(copy_blocks),
    .depthwise_block = NN_OF_VARIANT(depthwise_block),
    .max_block = NN_OF_VARIANT(max_block),
    .pick_block = NN_OF_VARIANT(pick_block),
    .copy = copy,
    .depthwise = depthwise,
    .slide_max = slide_max,
    .slide_sum = slide_sum,
};
