/*
 * The inner loops over blocks of channels: NN_LANES neighbouring channels of a pixel lie side by side, a pixel
 * behind the other. So a vector is always whole, whatever the width of the picture.
 */
#include <math.h>

#include "nn/kernels/vector.h"

/* A tile's place, in pixels of the output and blocks of filters. */
struct place {
	int64_t block;
	int64_t y;
	int64_t x;
};

/* Lanes of a vector to as many planes. */
INLINE void scatter(float *out, int64_t plane, vec v, int64_t count)
{
	float some[NN_LANES];

	store(some, v);
	for (int64_t i = 0; i < count && i < NN_LANES; i++)
		out[i * plane] = some[i];
}

INLINE vec gather(const float *from, int64_t plane, int64_t count)
{
	float some[NN_LANES] = {0};

	for (int64_t i = 0; i < count && i < NN_LANES; i++)
		some[i] = from[i * plane];
	return load(some);
}

/* Finishes the sums of one pixel and block. */
INLINE void put(const struct nn_tiles *j, const struct ending *ending, vec sum, int64_t block, int64_t pixel)
{
	int64_t area = j->area;
	int64_t first = block * NN_LANES;

	if (j->is_planar) {
		int64_t at = first * area + pixel;
		float residual[NN_LANES];

		if (j->residual)
			store(residual, gather(j->residual + at, area, j->filters - first));
		scatter(j->out + at, area, finish(sum, ending, j->residual ? residual : NULL), j->filters - first);
	} else {
		int64_t at = (block * area + pixel) * NN_LANES;

		store(j->out + at, finish(sum, ending, j->residual ? j->residual + at : NULL));
	}
}

/* All of blocks, pixels and step are constants where this is inlined. The sums stay in registers. */
INLINE void tile(const int blocks, const int pixels, const int step, const struct nn_tiles *job, const float *weights,
		 const struct place *place)
{
	const struct nn_tiles j = *job; /* a copy that no store can change */
	const float *x = j.x + place->y * j.x_row + place->x * step;
	vec sum[4][12];

	for (int b = 0; b < blocks; b++) {
		for (int p = 0; p < pixels; p++)
			sum[b][p] = splat(0);
	}
	for (int64_t k = 0; k < j.depth; k++) {
		const float *at = x + j.offsets[k];
		vec w[4];

		for (int b = 0; b < blocks; b++)
			w[b] = load(weights + b * NN_LANES);
		for (int p = 0; p < pixels; p++) {
			vec v = splat(at[p * step]);

			for (int b = 0; b < blocks; b++)
				sum[b][p] += w[b] * v;
		}
		weights += blocks * NN_LANES;
	}
	for (int b = 0; b < blocks; b++) {
		struct ending ending = ending_of_block(j.epilogue, (place->block + b) * NN_LANES);

		for (int p = 0; p < pixels; p++)
			put(&j, &ending, sum[b][p], place->block + b, place->y * j.width + place->x + p);
	}
}

typedef void tile_function(const struct nn_tiles *job, const float *weights, const struct place *place);

/* Functions of their own, so that nothing but the sums competes for registers. */
#define TILE(blocks, pixels)                                                                                           \
	static void tile_##blocks##_##pixels(const struct nn_tiles *job, const float *weights,                         \
					     const struct place *place)                                                \
	{                                                                                                              \
		if (job->x_pixel == 1)                                                                                 \
			tile(blocks, pixels, 1, job, weights, place);                                                  \
		else                                                                                                   \
			tile(blocks, pixels, NN_LANES, job, weights, place);                                           \
	}
#define TILES_6(blocks) TILE(blocks, 1) TILE(blocks, 2) TILE(blocks, 3) TILE(blocks, 4) TILE(blocks, 5) TILE(blocks, 6)
#define TILES_8(blocks) TILES_6(blocks) TILE(blocks, 7) TILE(blocks, 8)
#define TILES_12(blocks) TILES_8(blocks) TILE(blocks, 9) TILE(blocks, 10) TILE(blocks, 11) TILE(blocks, 12)

/* clang-format off */
#define ROW_6(b) tile_##b##_1, tile_##b##_2, tile_##b##_3, tile_##b##_4, tile_##b##_5, tile_##b##_6
#define ROW_8(b) ROW_6(b), tile_##b##_7, tile_##b##_8
#define ROW_12(b) ROW_8(b), tile_##b##_9, tile_##b##_10, tile_##b##_11, tile_##b##_12
/* clang-format on */

TILES_12(1)
#if NN_TILE_BLOCKS == 2
TILES_6(2)
#else
TILES_12(2)
TILES_8(3)
TILES_6(4)
#endif

/* By blocks - 1 and pixels - 1; as many pixels as leave registers for the weights. */
static tile_function *const tile_functions[NN_TILE_BLOCKS][12] = {
    {ROW_12(1)},
#if NN_TILE_BLOCKS == 2
    {ROW_6(2)},
#else
    {ROW_12(2)},
    {ROW_8(3)},
    {ROW_6(4)},
#endif
};

#if NN_TILE_BLOCKS == 2
static const int most_pixels[NN_TILE_BLOCKS] = {12, 6};
#else
static const int most_pixels[NN_TILE_BLOCKS] = {12, 12, 8, 6};
#endif

/* Filters that would leave most lanes of a tile empty, and how deep they may be. */
#define FEW_FILTERS 2
#define FEW_DEPTH 512

/* A few 1×1 filters over blocks, as the heads of detectors have them: the lanes are channels, not filters. */
static bool is_few(const struct nn_tiles *j)
{
	if (!j->is_planar || j->filters > FEW_FILTERS || j->depth > FEW_DEPTH || j->depth % NN_LANES != 0 ||
	    j->x_pixel != NN_LANES || j->residual)
		return false;
	for (int64_t k = 0; k < j->depth; k++) {
		if (j->offsets[k] != j->offsets[k - k % NN_LANES] + k % NN_LANES)
			return false;
	}
	return true;
}

INLINE vec dots(const struct nn_tiles *j, const float *weights, const float *x)
{
	vec sum[NN_LANES] = {0};

	for (int64_t k = 0; k < j->depth; k += NN_LANES) {
		const float *at = x + j->offsets[k];
		vec w = load(weights + k);

		for (int p = 0; p < NN_LANES; p++)
			sum[p] += w * load(at + p * NN_LANES);
	}
	return sums(sum);
}

/* The last pixels of a row one by one: nothing behind it may be read. */
INLINE float dot(const struct nn_tiles *j, const float *weights, const float *x)
{
	vec all = splat(0);
	float sum = 0;

	for (int64_t k = 0; k < j->depth; k += NN_LANES)
		all += load(weights + k) * load(x + j->offsets[k]);
	for (int i = 0; i < NN_LANES; i++)
		sum += all[i];
	return sum;
}

static void few(const struct nn_tiles *job)
{
	const struct nn_tiles j = *job;
	float weights[FEW_DEPTH];

	for (int64_t f = 0; f < j.filters; f++) {
		struct ending ending = ending_of(j.epilogue, f);

		for (int64_t k = 0; k < j.depth; k++)
			weights[k] = j.weights[k * NN_LANES + f];
		for (int64_t y = 0; y < j.height; y++) {
			const float *x = j.x + y * j.x_row;
			float *out = j.out + f * j.area + y * j.width;
			int64_t p = 0;

			for (; p + NN_LANES <= j.width; p += NN_LANES)
				store(out + p, finish(dots(&j, weights, x + p * NN_LANES), &ending, NULL));
			for (; p < j.width; p++)
				store_some(out + p, finish(splat(dot(&j, weights, x + p * NN_LANES)), &ending, NULL),
					   1);
		}
	}
}

void NN_OF_VARIANT(tiles)(const struct nn_tiles *job)
{
	int64_t blocks = (job->filters + NN_LANES - 1) / NN_LANES;
	const float *weights = job->weights;
	struct place place;
	int64_t share;

	if (is_few(job)) {
		few(job);
		return;
	}
	for (place.block = 0; place.block < blocks; place.block += share) {
		share = nn_tile_share(&NN_VARIANT, place.block, blocks);
		int64_t tiles = (job->width + most_pixels[share - 1] - 1) / most_pixels[share - 1];

		for (place.y = 0; place.y < job->height; place.y++) {
			place.x = 0;
			for (int64_t i = 0; i < tiles; i++) {
				int64_t pixels = (job->width - place.x + tiles - i - 1) / (tiles - i);

				tile_functions[share - 1][pixels - 1](job, weights, &place);
				place.x += pixels;
			}
		}
		weights += share * NN_LANES * job->depth;
	}
}

void NN_OF_VARIANT(copy_blocks)(const struct nn_part *parts, int64_t count, const float *block, float *planes)
{
	for (int64_t i = 0; i < count; i++) {
		const struct nn_part part = parts[i];

		for (int64_t y = 0; y < part.rows; y++) {
			const float *from = block + (part.from + y * part.from_pitch) * NN_LANES;
			float *to = planes + (part.to + y * part.to_pitch) * NN_LANES;

			for (int64_t x = 0; x < part.columns; x++)
				store(to + x * NN_LANES, load(from + x * part.stride * NN_LANES));
		}
	}
}

void NN_OF_VARIANT(pick_block)(const float *pixels, const int64_t *columns, int64_t count, float *out)
{
	for (int64_t i = 0; i < count; i++)
		store(out + i * NN_LANES, load(pixels + columns[i] * NN_LANES));
}
