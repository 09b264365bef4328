#ifndef NN_FUSE_H
#define NN_FUSE_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/** What a convolution does besides: the nodes behind it that its epilogue takes over. */
struct nn_fusion {
	unsigned head;                    /**< the node that does this node's work; itself unless it was taken over */
	unsigned last;                    /**< of a head: the last node taken over; its step stands there */
	const struct nn_node *activation; /**< NULL: none */
	uint32_t residual;                /**< NN_NO_VALUE: none */
	bool residual_last;               /**< the residual is added after the activation */
	uint32_t output;                  /**< of the last node */
};

/**
 * Finds for each node what can be fused, given all shapes: Conv followed by an activation with
 * constant parameters and/or an Add of equal shapes, each the only reader. `fusions` has room for
 * every node. Returns 0 or -ENOMEM.
 */
int nn_fuse(const struct nn_graph *graph, const struct nn_shape *shapes, struct nn_fusion *fusions) must_check;

/** A node that is fused with nothing. */
struct nn_fusion nn_fusion_none(const struct nn_node *node, unsigned index);

#endif
