#ifndef NN_OPERATOR_H
#define NN_OPERATOR_H

#include "nn/graph.h"

struct nn_infer;
struct nn_plan;
struct nn_kernels;

/**
 * One row of the table of operators. To add an operator: write its functions in the file of its
 * family under ops/, declare the row in ops/ops.h and name it in operator.c.
 */
struct nn_operator {
	const char *name;
	const char *attributes; /**< "alpha:f axis:i", see nn_attribute_listed(); any other is refused */
	unsigned min_inputs;
	unsigned max_inputs;
	/** The first so many inputs are float32 tensors that the step reads; the rest are settings. */
	unsigned data_inputs;
	/** The output is the first input under another shape: no work, no memory. */
	bool is_view;
	/** It has several outputs; the loader makes a node for each of them, see nn_node.part. */
	bool has_parts;
	/** Its compile function knows of nn/blocks.h and asks for the operands it wants; others get planes. */
	bool takes_blocks;

	/** It computes on integers too, where they are constants: shapes, see nn_evaluate(). */
	bool on_integers;

	/** Looks at attributes once the node is loaded. May be NULL. */
	int (*check)(const struct nn_node *node, struct error *err);
	/** Finds the shape of the output from those of the inputs. */
	int (*infer)(struct nn_infer *infer, const struct nn_node *node);
	/**
	 * Computes the output from shapes and constants alone, whatever their types, in place of `compile`. May be
	 * NULL. Called where nn_is_known() says so; the caller owns `out`.
	 */
	int (*fold)(struct nn_tensor **out, const struct nn_graph *graph, const struct nn_node *node,
		    const struct nn_shape *shapes, struct error *err);
	/** Turns constant weights into the form the kernels want (node->packed). May be NULL. */
	int (*prepare)(const struct nn_graph *graph, struct nn_node *node, const struct nn_kernels *kernels,
		       struct error *err);
	/** Adds the step that does the work to a plan; NULL for views and what is only folded. */
	int (*compile)(struct nn_plan *plan, const struct nn_node *node);
};

/** The operator of that name, or NULL. */
const struct nn_operator *nn_operator_find(const char *name);

#endif
