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
 * A strip of a matrix product: out[row][0 … columns-1] = Σ weights[row][k] · tile[k][column], for
 * all rows. The strip is one or two vectors of the kernels wide; where `columns` are fewer, tile holds anything behind.
 */
struct nn_gemm {
	int64_t rows;
	int64_t depth;
	int64_t columns;
	int vectors;          /**< 1 or 2 */
	const float *weights; /**< as nn_pack_weights() leaves them */
	const float *tile;
	int64_t tile_pitch;    /**< floats between tile[k] and tile[k+1] */
	float *out;            /**< first column of the strip in row 0 */
	const float *residual; /**< laid out as `out`; NULL: none */
	int64_t pitch;         /**< floats between two rows of out */
	const struct nn_epilogue *epilogue;
};

/** Part of a strip that is contiguous in the staged input: `vectors` of it from `target` on come from `source` on. */
struct nn_segment {
	int32_t target;
	int32_t vectors; /**< as many as hold its columns */
	int64_t source;
};

/** How a strip is gathered: tile[c · taps + t][…] = staged[c · plane + offset[t] + segment.source …]. */
struct nn_pack {
	const struct nn_segment *segments; /**< by rising target */
	int segment_count;
	const float *staged;
	int64_t channels;
	int64_t plane;
	const int64_t *offsets;
	int64_t taps;
	float *tile;        /**< has room for one more strip row behind its end */
	int64_t tile_width; /**< lanes or 2·lanes */
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

/**
 * The inner loops, once for each instruction set. Pointers need no alignment unless said so. What they read may be
 * followed by up to NN_SLACK bytes that they read too, without using them.
 */
struct nn_kernels {
	const char *name;
	int lanes; /**< floats in a vector; strips are this or twice this wide */
	int rows;  /**< rows of weights in a full panel */

	void (*gemm)(const struct nn_gemm *job);
	void (*pack)(const struct nn_pack *job);
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

/** Floats that nn_pack_weights() writes. */
#define NN_PACKED_WEIGHTS(rows, depth) ((rows) * (depth))

/**
 * Rearranges a row-major matrix into panels of `kernels->rows` rows (fewer in the last), each panel
 * column by column, which is the order in which the kernel reads it.
 */
void nn_pack_weights(const struct nn_kernels *kernels, const float *weights, int64_t rows, int64_t depth,
		     float *packed);

#endif
