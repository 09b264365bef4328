#ifndef NN_OPS_ACTIVATION_H
#define NN_OPS_ACTIVATION_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/**
 * True if a node is an activation that a convolution's epilogue can do on an NCHW tensor of `shape`:
 * Relu and Clip with constant bounds, LeakyRelu, PRelu with one slope or one for each channel.
 */
bool nn_activation_is_fusible(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *shape);

/**
 * Fills the activation of an epilogue from a fusible node. `slopes` has room for one float for
 * each of the `channels` and lives as long as the epilogue.
 */
void nn_activation_fill(struct nn_epilogue *epilogue, const struct nn_graph *graph, const struct nn_node *node,
			int64_t channels, float *slopes);

#endif
