#ifndef NN_EVALUATE_H
#define NN_EVALUATE_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/** Elements of the largest constant that folding may make. */
#define NN_MAX_FOLDED ((int64_t)1 << 24)

/**
 * Computes a node whose operands are all constants. `shapes` holds the shapes of all constants and
 * gets that of the output. The caller owns the result.
 */
int nn_evaluate(struct nn_tensor **out, const struct nn_graph *graph, struct nn_node *node, struct nn_shape *shapes,
		const struct nn_kernels *kernels, struct error *err) must_check;

#endif
