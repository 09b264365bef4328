/*
 * Windows that slide over one block of channels: depthwise convolution and maximum. They read the input where it
 * lies; where a window hangs over an edge, the taps outside are left out.
 */
#include <math.h>

#include "nn/kernels/vector.h"

/* First and last + 1 tap of a window that lie in the input. */
INLINE void cut(const struct nn_block_window *j, int axis, int64_t position, int64_t *first, int64_t *end)
{
	int64_t begin = position * j->stride[axis] - j->before[axis];
	int64_t step = j->dilation[axis];
	int64_t fit = j->input[axis] <= begin ? 0 : (j->input[axis] - begin + step - 1) / step;

	*first = begin < 0 ? (-begin + step - 1) / step : 0;
	*end = fit < j->kernel[axis] ? fit : j->kernel[axis];
}

/* Outputs first … end - 1 whose windows lie wholly in the input. */
INLINE void inner(const struct nn_block_window *j, int axis, int64_t *first, int64_t *end)
{
	int64_t extent = (j->kernel[axis] - 1) * j->dilation[axis] + 1;
	int64_t room = j->input[axis] + j->before[axis] - extent;
	int64_t last = room < 0 ? 0 : room / j->stride[axis] + 1;
	int64_t begin = (j->before[axis] + j->stride[axis] - 1) / j->stride[axis];

	*end = last < j->output[axis] ? last : j->output[axis];
	*first = begin < *end ? begin : *end;
}

void NN_OF_VARIANT(max_block)(const struct nn_block_window *job)
{
	const struct nn_block_window j = *job;
	float *out = j.out;

	for (int64_t y = 0; y < j.output[0]; y++) {
		int64_t top, bottom;

		cut(&j, 0, y, &top, &bottom);
		for (int64_t x = 0; x < j.output[1]; x++, out += NN_LANES) {
			const float *from =
			    j.x +
			    ((y * j.stride[0] - j.before[0]) * j.input[1] + (x * j.stride[1] - j.before[1])) * NN_LANES;
			int64_t left, right;
			vec all = splat(-INFINITY);

			cut(&j, 1, x, &left, &right);
			for (int64_t row = top; row < bottom; row++) {
				const float *at = from + row * j.dilation[0] * j.input[1] * NN_LANES;

				for (int64_t column = left; column < right; column++)
					all = larger(all, load(at + column * j.dilation[1] * NN_LANES));
			}
			store(out, all);
		}
	}
}

/* A depthwise convolution of one block. */
struct depthwise {
	struct nn_block_window at;
	const float *weights;
	struct ending ending;
	const float *residual;
	int64_t pitch; /* floats from a row of the input to the next */
};

/* The first tap of an output; before the input for those at its edge. */
INLINE const float *first_tap(const struct depthwise *d, int64_t y, int64_t x)
{
	return d->at.x + (y * d->at.stride[0] - d->at.before[0]) * d->pitch +
	       (x * d->at.stride[1] - d->at.before[1]) * NN_LANES;
}

INLINE void put(const struct depthwise *d, vec sum, int64_t pixel)
{
	int64_t at = pixel * NN_LANES;

	store(d->at.out + at, finish(sum, &d->ending, d->residual ? d->residual + at : NULL));
}

/* Outputs left … right - 1 of a row, each tap looked at. */
static void edge(const struct depthwise *d, int64_t y, int64_t left, int64_t right)
{
	const struct nn_block_window *j = &d->at;
	int64_t top, bottom;

	cut(j, 0, y, &top, &bottom);
	for (int64_t x = left; x < right; x++) {
		const float *from = first_tap(d, y, x);
		int64_t first, end;
		vec sum = splat(0);

		cut(j, 1, x, &first, &end);
		for (int64_t row = top; row < bottom; row++) {
			const float *at = from + row * j->dilation[0] * d->pitch;
			const float *weights = d->weights + row * j->kernel[1] * NN_LANES;

			for (int64_t column = first; column < end; column++)
				sum +=
				    load(weights + column * NN_LANES) * load(at + column * j->dilation[1] * NN_LANES);
		}
		put(d, sum, y * j->output[1] + x);
	}
}

/* Neighbouring outputs, the rows `top` … `bottom` - 1 of any window. */
INLINE void some(const int pixels, const struct depthwise *d, int64_t y, int64_t x, int64_t top, int64_t bottom)
{
	const struct nn_block_window *j = &d->at;
	const float *from = first_tap(d, y, x) + top * j->dilation[0] * d->pitch;
	const float *weights = d->weights + top * j->kernel[1] * NN_LANES;
	int64_t step = j->stride[1] * NN_LANES;
	vec sum[4] = {0};

	for (int64_t row = top; row < bottom; row++, from += j->dilation[0] * d->pitch) {
		const float *at = from;

		for (int64_t column = 0; column < j->kernel[1]; column++, at += j->dilation[1] * NN_LANES) {
			vec w = load(weights);

			weights += NN_LANES;
			for (int p = 0; p < pixels; p++)
				sum[p] += w * load(at + p * step);
		}
	}
	for (int p = 0; p < pixels; p++)
		put(d, sum[p], y * j->output[1] + x + p);
}

/* Outputs left … right - 1 of a row, whose windows hang over the edges above and below only. */
static void middle(const struct depthwise *depthwise, int64_t y, int64_t left, int64_t right)
{
	const struct depthwise d = *depthwise; /* a copy that no store can change */
	int64_t x = left;
	int64_t top, bottom;

	cut(&d.at, 0, y, &top, &bottom);
	for (; x + 4 <= right; x += 4)
		some(4, &d, y, x, top, bottom);
	for (; x < right; x++)
		some(1, &d, y, x, top, bottom);
}

/* One row of a 3×3 window: neighbouring outputs are `step` pixels apart in it. */
INLINE void add_row(const int pixels, const int step, vec *sum, const vec *in, const vec *weight)
{
	for (int p = 0; p < pixels; p++)
		sum[p] += weight[0] * in[p * step] + weight[1] * in[p * step + 1] + weight[2] * in[p * step + 2];
}

INLINE void load_row(const int pixels, const int step, vec *in, const float *from)
{
	for (int i = 0; i < (pixels - 1) * step + 3; i++)
		in[i] = load(from + i * NN_LANES);
}

INLINE void put_row(const int pixels, const struct depthwise *d, const vec *sum, int64_t y, int64_t x)
{
	for (int p = 0; p < pixels; p++)
		put(d, sum[p], y * d->at.output[1] + x + p);
}

/* One or (where the window moves by one) two rows of outputs of a 3×3 window: an input is loaded once for them all. */
INLINE void three(const int rows, const int pixels, const int step, const struct depthwise *d, const vec *weight,
		  int64_t y, int64_t x)
{
	const float *from = first_tap(d, y, x);
	vec upper[4] = {0};
	vec lower[4] = {0};
	vec in[9];

	load_row(pixels, step, in, from);
	add_row(pixels, step, upper, in, weight);
	load_row(pixels, step, in, from + d->pitch);
	add_row(pixels, step, upper, in, weight + 3);
	if (rows == 2)
		add_row(pixels, step, lower, in, weight);
	load_row(pixels, step, in, from + 2 * d->pitch);
	add_row(pixels, step, upper, in, weight + 6);
	put_row(pixels, d, upper, y, x);
	if (rows == 2) {
		add_row(pixels, step, lower, in, weight + 3);
		load_row(pixels, step, in, from + 3 * d->pitch);
		add_row(pixels, step, lower, in, weight + 6);
		put_row(pixels, d, lower, y + 1, x);
	}
}

INLINE void three_row(const int rows, const int step, const struct depthwise *d, const vec *weight, int64_t y,
		      int64_t left, int64_t right)
{
	int64_t x = left;

	for (; x + 4 <= right; x += 4)
		three(rows, 4, step, d, weight, y, x);
	for (; x < right; x++)
		three(rows, 1, step, d, weight, y, x);
}

/* The rows of a 3×3 window whose place depends on no edge. */
INLINE void threes(const int step, const struct depthwise *depthwise, int64_t top, int64_t bottom, int64_t left,
		   int64_t right)
{
	const struct depthwise d = *depthwise;
	int64_t y = top;
	vec weight[9];

	for (int t = 0; t < 9; t++)
		weight[t] = load(d.weights + t * NN_LANES);
#if NN_TILE_BLOCKS > 2
	for (; step == 1 && y + 2 <= bottom; y += 2)
		three_row(2, step, &d, weight, y, left, right);
#endif
	for (; y < bottom; y++)
		three_row(1, step, &d, weight, y, left, right);
}

static bool is_3x3(const struct nn_block_window *j)
{
	return j->kernel[0] == 3 && j->kernel[1] == 3 && j->dilation[0] == 1 && j->dilation[1] == 1;
}

void NN_OF_VARIANT(depthwise_block)(const struct nn_block_window *job, const float *weights,
				    const struct nn_epilogue *epilogue, int64_t channel, const float *residual)
{
	struct depthwise d = {
	    .at = *job,
	    .weights = weights,
	    .ending = ending_of_block(epilogue, channel),
	    .residual = residual,
	    .pitch = job->input[1] * NN_LANES,
	};
	int64_t top, bottom, left, right;

	inner(job, 0, &top, &bottom);
	inner(job, 1, &left, &right);
	if (is_3x3(job) && job->stride[0] == 1 && job->stride[1] == 1)
		threes(1, &d, top, bottom, left, right);
	else if (is_3x3(job) && job->stride[1] == 2)
		threes(2, &d, top, bottom, left, right);
	else
		bottom = top; /* no rows are done */
	for (int64_t y = 0; y < job->output[0]; y++) {
		edge(&d, y, 0, left);
		edge(&d, y, right, job->output[1]);
		if (y < top || y >= bottom)
			middle(&d, y, left, right);
	}
}
