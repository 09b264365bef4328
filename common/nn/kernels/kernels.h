#ifndef NN_KERNELS_KERNELS_H
#define NN_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What happens to a sum before it is stored. */
enum nn_activation {
	NN_ACTIVATION_NONE,
	NN_ACTIVATION_CLAMP, /**< max(low, min(high, x)): Relu, Clip */
	NN_ACTIVATION_SLOPE  /**< x < 0 ? slope · x : x, a slope for each channel: PRelu, LeakyRelu */
};

/** The end of a convolution: out = activation(sum + bias + residual), or the residual added last. */
struct nn_epilogue {
	const float *bias;  /**< one for each channel; NULL: none */
	const float *slope; /**< one for each channel, for NN_ACTIVATION_SLOPE */
	enum nn_activation activation;
	bool residual_last;
	float low;
	float high;
};

/**
 * A convolution of one image whose output is stored in channel blocks (or, where `is_planar`, as planes):
 * out[filter][y][x] = Σk weights[filter][k] · x[y · x_row + x · x_pixel + offsets[k]]. Computed in tiles of some pixels
 * of a row by some blocks of filters that stay in registers.
 */
struct nn_tiles {
	const float *x;
	int64_t x_row;
	int64_t x_pixel;        /**< 1 for planes, `lanes` for channel blocks */
	const int64_t *offsets; /**< of each k */
	int64_t depth;
	const float *weights; /**< as nn_pack_filters() leaves them */
	int64_t filters;
	int64_t height; /**< of the output, or of some rows of it */
	int64_t width;
	int64_t area; /**< pixels from a plane or block of the output to the next */
	bool is_planar;
	float *out;
	const float *residual; /**< laid out as `out`; NULL: none */
	/** Its bias is there, and bias and slope reach to the end of the last block. */
	const struct nn_epilogue *epilogue;
};

/** Part of a channel on its way into a plane: `rows` rows, of each every `stride`-th float, `columns` in all. */
struct nn_part {
	int64_t rows;
	int64_t columns;
	int64_t stride;
	int64_t from; /**< offset of the first float in the channel */
	int64_t from_pitch;
	int64_t to; /**< offset in the planes */
	int64_t to_pitch;
};

/** A window slid over one staged channel; `offset` leads from an output's row and column to each tap. */
struct nn_slide {
	int64_t height; /**< of the output */
	int64_t width;
	const float *staged;
	int64_t pitch;
	const int64_t *offsets;
	int64_t taps;
	bool is_whole; /**< one output, and its taps lie side by side */
	float *out;
};

/** A window that slides over one block of channels where it lies; the taps outside the input are left out. */
struct nn_block_window {
	const float *x;
	int64_t input[2]; /**< height, width */
	int64_t output[2];
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t before[2]; /**< padding above and left */
	float *out;
};

/**
 * The inner loops, once for each instruction set. Pointers need no alignment unless said so. What they read may be
 * followed by up to NN_SLACK bytes that they read too, without using them.
 */
struct nn_kernels {
	const char *name;
	int lanes;       /**< floats in a vector, and channels in a block */
	int tile_blocks; /**< the most blocks of filters in a tile */

	void (*tiles)(const struct nn_tiles *job);
	/** Like copy(), for pixels of a block of channels: all numbers but `stride` count pixels. */
	void (*copy_blocks)(const struct nn_part *parts, int64_t count, const float *block, float *planes);
	/** Like depthwise() for a block of channels, with weights[tap][lane]. */
	void (*depthwise_block)(const struct nn_block_window *job, const float *weights,
				const struct nn_epilogue *epilogue, int64_t channel, const float *residual);
	/** out = max over the taps, for a block of channels. */
	void (*max_block)(const struct nn_block_window *job);
	/** out pixel i = pixel columns[i]. */
	void (*pick_block)(const float *pixels, const int64_t *columns, int64_t count, float *out);
	void (*copy)(const struct nn_part *parts, int64_t count, const float *channel, float *planes);
	/** out = epilogue(Σ weights[t] · tap t) for channel `channel` of the epilogue's arrays. */
	void (*depthwise)(const struct nn_slide *job, const float *weights, const struct nn_epilogue *epilogue,
			  int64_t channel, const float *residual);
	/** out = max over the taps. */
	void (*slide_max)(const struct nn_slide *job);
	/** out = Σ taps. */
	void (*slide_sum)(const struct nn_slide *job);
};

/** The best kernels for the processor this runs on. */
const struct nn_kernels *nn_kernels_best(void);

/** Those of a given name ("portable", "avx2", "avx512"); NULL if not built or this processor lacks the instructions. */
const struct nn_kernels *nn_kernels_named(const char *name);

/** Blocks of filters that a tile takes from block `first` of `blocks` on: as even a share as can be. */
int64_t nn_tile_share(const struct nn_kernels *kernels, int64_t first, int64_t blocks);

/** Floats that nn_pack_filters() writes. */
int64_t nn_packed_filters(const struct nn_kernels *kernels, int64_t filters, int64_t depth);

/**
 * Rearranges the filters (rows of a matrix) for tiles(): for each share of blocks, weight after weight, all its filters
 * side by side; what is missing in the last block is zero.
 */
void nn_pack_filters(const struct nn_kernels *kernels, const float *weights, int64_t filters, int64_t depth,
		     float *packed);

#endif
