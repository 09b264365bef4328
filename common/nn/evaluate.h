#ifndef NN_EVALUATE_H
#define NN_EVALUATE_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/** Elements that all constants which folding makes may have together. */
#define NN_MAX_FOLDED ((int64_t)1 << 24)

/** Integers are computed as float32, exact up to this size; sizes and axes stay far below. */
#define NN_MAX_INTEGER (1 << 24)

/** True if a node's output follows from constants, or from the shape of its operand alone. */
bool nn_is_known(const struct nn_graph *graph, const struct nn_node *node);

/**
 * Computes a node that is known. `shapes` holds the shapes of its operands and gets that of the output. `graph` is
 * changed while this runs, not after. The caller owns the result.
 */
int nn_evaluate(struct nn_tensor **out, struct nn_graph *graph, struct nn_node *node, struct nn_shape *shapes,
		const struct nn_kernels *kernels, struct error *err) must_check;

#endif
