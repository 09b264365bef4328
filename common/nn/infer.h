#ifndef NN_INFER_H
#define NN_INFER_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/** Shapes of all values while they are being found, by value index. */
struct nn_infer {
	struct nn_graph *graph;           /**< its values get the constants that follow from the input's shape */
	const struct nn_value *loaded;    /**< its values without those */
	const struct nn_kernels *kernels; /**< NULL where the graph is only being loaded, like `loaded` */
	struct nn_shape *shapes;
	struct error *err;
};

/**
 * Starts with the shapes of constants; finds those of all other values once the graph's only input (if it has one)
 * has shape `input`, and computes what follows from shapes and constants alone. ERROR_MODEL naming the node that
 * cannot live with it.
 */
int nn_infer_graph(struct nn_infer *infer, const struct nn_shape *input) must_check;

/** Shape of a node's input, which must not be left out. */
const struct nn_shape *nn_infer_input(const struct nn_infer *infer, const struct nn_node *node, unsigned index);

/** Sets the shape of a node's output. ERROR_MODEL if no tensor can have it. */
int nn_infer_output(struct nn_infer *infer, const struct nn_node *node, const struct nn_shape *shape) must_check;

/** The integers of a constant input of rank 0 or 1. ERROR_MODEL if it is something else. */
int nn_infer_integers(const struct nn_graph *graph, const struct nn_node *node, unsigned index,
		      const struct nn_tensor **out, struct error *err) must_check;

/** A shape that a node is given as such integers; its numbers may be of any kind (-1, 0). ERROR_MODEL likewise. */
int nn_infer_given_shape(const struct nn_infer *infer, const struct nn_node *node, unsigned index,
			 struct nn_shape *out) must_check;

/** infer function of operators whose output has the shape of their first input. */
int nn_infer_same(struct nn_infer *infer, const struct nn_node *node) must_check;

#endif
