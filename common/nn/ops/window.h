#ifndef NN_OPS_WINDOW_H
#define NN_OPS_WINDOW_H

#include "nn/graph.h"
#include "nn/infer.h"
#include "nn/kernels/kernels.h"

/** Sides of a window, and its taps, that are accepted. */
#define NN_MAX_WINDOW 4096
#define NN_MAX_TAPS 65536

/** A window that slides over the last two axes of an NCHW tensor; index 0 is height, 1 width. */
struct nn_window {
	int64_t input[2];
	int64_t output[2];
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t before[2]; /**< padding above and left */
	int64_t after[2];  /**< padding below and right, as the node asks; ceil_mode may look further */
};

/** The attributes that nn_window_read() understands, for an operator's row. */
#define NN_WINDOW_ATTRIBUTES "auto_pad:s dilations:I kernel_shape:I pads:I strides:I"

/** Checks lists and values of a node's window attributes without knowing the input. */
int nn_window_check(const struct nn_node *node, struct error *err) must_check;

/**
 * The window of a node on an input, with output sizes. `kernel` (two sizes) comes from the weights;
 * NULL: from kernel_shape.
 */
int nn_window_read(struct nn_window *window, const struct nn_node *node, const struct nn_shape *input,
		   const int64_t *kernel, struct error *err) must_check;

/** The window as kernels see it that read blocks of channels in place; x and out are the caller's to set. */
struct nn_block_window nn_window_on_block(const struct nn_window *window);

/**
 * Where a window's taps find their input after staging: a channel is copied into planes, one for
 * each (row mod stride, column mod stride) that a tap needs, padding included. So every tap reads
 * rows that are contiguous in the output's columns, whatever the stride. Large channels are staged for some rows of the
 * output at a time, so that what is staged stays in the cache.
 */
struct nn_staging {
	bool is_direct; /**< see nn_staging_skip() */
	int64_t height; /**< rows and columns of the output as kernels see it */
	int64_t width;
	int64_t band;   /**< rows of the output that are staged at a time */
	int64_t rows;   /**< of a plane */
	int64_t pitch;  /**< floats between two of its rows */
	int64_t planes; /**< staged for each channel */
	int64_t taps;
	float fill;            /**< what lies outside the input */
	int64_t *offsets;      /**< one for each tap: from the place of an output in a plane to the tap's input */
	struct nn_part *parts; /**< one for each plane, as if it held all rows: what of it the input holds */
};

/** Of all rows at once, filled with 0. */
struct nn_staging nn_staging_of(const struct nn_window *window);

/**
 * Where nothing need be copied, the channel is its own plane: a 1×1 window over every pixel (its rows are joined to
 * one), and an unpadded window of the input's size.
 */
void nn_staging_skip(struct nn_staging *staging, const struct nn_window *window);

/** Lets every row of the planes begin at a multiple of `lanes`, so that most vectors lie within a cache line. */
void nn_staging_align(struct nn_staging *staging, int64_t lanes);

/** Stages in bands if `channels` channels (or blocks) of `lanes` would else not stay in the cache. */
void nn_staging_cut(struct nn_staging *staging, int64_t channels, int64_t lanes);

/** Floats that one staged channel takes. */
int64_t nn_staging_channel(const struct nn_staging *staging);

/** Bytes that the tables of a staging take. */
size_t nn_staging_tables_size(const struct nn_staging *staging);

/** Fills the tables in `memory`, aligned for int64_t. */
void nn_staging_tables(struct nn_staging *staging, const struct nn_window *window, void *memory);

/**
 * Fills what of a channel's planes lies left and right of the input; nn_staging_copy() leaves it as it is. `lanes` is
 * 1, or what a block of channels has.
 */
void nn_staging_frame(const struct nn_staging *staging, int64_t lanes, float *planes);

/** Copies what the rows `y` … `y` + band - 1 of the output need of one channel (or block of `lanes` channels). */
void nn_staging_copy(const struct nn_kernels *kernels, const struct nn_staging *staging, int64_t lanes, int64_t y,
		     const float *channel, float *planes);

#endif
