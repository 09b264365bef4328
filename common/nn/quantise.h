#ifndef NN_QUANTISE_H
#define NN_QUANTISE_H

#include <stdio.h>

#include "nn/kernels/int8.h"
#include "nn/model.h"
#include "nn/plan.h"

struct nn_session;

/** The values a tensor took over the calibration set; low > high: none seen. */
struct nn_range {
	float low;
	float high;
};

/** A convolution's weights: row r is scale[r] · bytes. Its kind is fixed by its weights and group. */
struct nn_int8_weights {
	int8_t *bytes; /**< in the kernels' order; NULL: this node stays in float32 */
	float *scale;
	int32_t *sums; /**< of each row's bytes */
	bool is_depthwise;
};

/** What a model needs to run in 8 bits. Immutable once made. */
struct nn_quantisation {
	const struct nn_int8_kernels *kernels;
	struct nn_range *ranges;         /**< by value */
	struct nn_int8_weights *weights; /**< by node */
	unsigned value_count;
	unsigned node_count;
};

/**
 * Reads ranges (see nn_model_load_int8()) and quantises the weights of the convolutions that have one. The weights
 * have not been released yet.
 */
int nn_quantise(struct nn_quantisation **out, const struct nn_graph *graph, const char *text, size_t size,
		const struct nn_int8_kernels *kernels, struct error *err) must_check;

void nn_quantisation_free(struct nn_quantisation *quantisation);

/**
 * Decides which convolutions of a fused plan run in 8 bits, and which values are bytes: those that only such
 * convolutions make and read. Fills plan->is_quantised (by node) and plan->is_bytes (by value).
 */
int nn_quantise_plan(struct nn_plan *plan) must_check;

/** What the bytes of a value mean. */
struct nn_affine nn_quantise_affine(const struct nn_range *range);

/**
 * Runs the session's first image in float32 and widens `ranges` (one for each value of the model) by what its values
 * were. Start with low > high.
 */
void nn_calibrate(struct nn_session *session, struct nn_range *ranges);

/** Writes the ranges that were seen as nn_model_load_int8() reads them. 0 or -EIO. */
int nn_calibration_write(const struct nn_model *model, const struct nn_range *ranges, FILE *file) must_check;

#endif
