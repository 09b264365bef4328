#ifndef NN_OPS_NORM_H
#define NN_OPS_NORM_H

#include "nn/graph.h"

/** True if a BatchNormalization node's four parameters are constants of `channels` float32. */
bool nn_norm_is_constant(const struct nn_graph *graph, const struct nn_node *node, int64_t channels);

/** What such a node does to one channel: out = factor · x + offset. */
void nn_norm_channel(const struct nn_graph *graph, const struct nn_node *node, int64_t channel, double *factor,
		     double *offset);

#endif
