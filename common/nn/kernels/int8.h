#ifndef NN_KERNELS_INT8_H
#define NN_KERNELS_INT8_H

#include "nn/kernels/kernels.h"

/*
 * Convolutions in 8 bits: activations 0 … 255, weights -127 … 127, sums in 32 bits. A tensor is stored pixel by pixel,
 * each with its channels side by side, rounded up to a multiple of four. All kernels give the same bytes.
 */

/** Bytes of a pixel with so many channels. */
#define NN_INT8_PIXEL(channels) (((channels) + 3) / 4 * 4)

/** The arrays of an ending have room for this multiple of channels, the rest of it zero. */
#define NN_INT8_CHANNELS 64

/** More products than this might overflow a sum. */
#define NN_INT8_MAX_DEPTH 65536

/** What a byte means: value = scale · (byte - zero). */
struct nn_affine {
	float scale;
	int32_t zero; /**< 0 … 255 */
};

/** The end of a convolution: value = activation(scale · sum + bias + residual), or the residual added last. */
struct nn_int8_ending {
	const float *scale; /**< one for each channel, like bias and slope */
	const float *bias;
	const float *slope;
	enum nn_activation activation;
	bool residual_last;
	float low;
	float high;
	const uint8_t *residual; /**< a tensor like the output's; NULL: none */
	struct nn_affine residual_means;
	uint8_t *out; /**< NULL: the output is `values` */
	struct nn_affine out_means;
	float *values; /**< as float32, channel by channel */
};

/** A window slid over a tensor of bytes, padding included; all steps and offsets are in bytes. */
struct nn_int8_slide {
	const uint8_t *input;
	int64_t height; /**< of the output */
	int64_t width;
	int64_t channels;    /**< of the output */
	int64_t row_step;    /**< from what one output row sees to what the next sees */
	int64_t column_step; /**< and for columns */
	const int64_t *offsets;
	int64_t runs;       /**< so many offsets, each the start of ... */
	int64_t run_length; /**< ... this many bytes to be multiplied, a multiple of four; unused in depthwise */
	struct nn_int8_ending ending;
};

/** One row of `columns` pixels of a float32 tensor on its way to bytes. */
struct nn_int8_row {
	const float *from; /**< row of channel 0 */
	int64_t plane;     /**< floats between two channels */
	int64_t channels;
	int64_t columns;
	struct nn_affine means;
	uint8_t *to;
};

/** Once for each instruction set. Reads up to NN_SLACK bytes behind a tensor, as nn_kernels do. */
struct nn_int8_kernels {
	const char *name;
	int lanes;   /**< channels in a vector */
	int vectors; /**< in a full panel of weights */

	/** Every output channel sees every input channel; weights as nn_int8_pack() leaves them. */
	void (*dense)(const struct nn_int8_slide *job, const int8_t *weights);
	/** Each channel sees itself; weights[run][channel], a row of them being NN_INT8_PIXEL(channels) and slack. */
	void (*depthwise)(const struct nn_int8_slide *job, const int8_t *weights);
	void (*quantise)(const struct nn_int8_row *job);
};

/** The best for the processor this runs on. */
const struct nn_int8_kernels *nn_int8_best(void);

/** "portable", "avx2" or "vnni"; NULL if not built or this processor lacks the instructions. */
const struct nn_int8_kernels *nn_int8_named(const char *name);

/** Bytes that nn_int8_pack() writes: output channels are filled up to whole vectors of any kernels. */
#define NN_INT8_PACKED(rows, depth) (((rows) + 15) / 16 * 16 * (depth))

/**
 * Rearranges a row-major matrix, depth a multiple of four, into panels of `kernels->vectors` vectors (fewer in the
 * last); in a panel four columns of each row side by side, which is the order in which the kernel reads it.
 */
void nn_int8_pack(const struct nn_int8_kernels *kernels, const int8_t *weights, int64_t rows, int64_t depth,
		  int8_t *packed);

#endif
