#ifndef NN_PLAN_H
#define NN_PLAN_H

#include "nn/fuse.h"
#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/** One call of a kernel. `in` are its operands in the order of `inputs`. */
struct nn_step {
	void (*run)(const struct nn_step *step, const float *const *in, float *out, float *scratch);
	void *params;     /**< what `run` needs to know; owned */
	const char *name; /**< of the operator, or what else it does */
	const struct nn_node *node;
	uint32_t *inputs; /**< owned; values, or values in blocks, see nn/blocks.h */
	unsigned input_count;
	uint32_t output;
	size_t scratch; /**< bytes of working memory */
	uint64_t macs;  /**< multiply-adds, or operations of that order */
};

struct nn_quantisation;

/** The work of a graph for one input shape, in the order in which it is done. */
struct nn_plan {
	const struct nn_graph *graph;
	const struct nn_kernels *kernels;
	const struct nn_shape *shapes; /**< by value, then by value in blocks; borrowed */
	bool *made;                    /**< the same: what is there so far; owned; NULL: only planes are known */
	struct nn_fusion *fusions;     /**< by node; owned; NULL: nothing is fused */
	const struct nn_quantisation *quantisation; /**< NULL: float32 */
	bool *is_quantised;                         /**< by node, see nn_quantise_plan(); owned, like is_bytes */
	bool *is_bytes;                             /**< by value */
	struct nn_step *steps;
	unsigned step_count;
	struct error *err;
};

/** Fuses and compiles all nodes. graph, kernels, shapes and err are set; finish the plan in any case. */
int nn_plan_compile(struct nn_plan *plan) must_check;

/** Compiles one node into the only step of an empty plan, unfused. Finish the plan in any case. */
int nn_plan_compile_node(struct nn_plan *plan, const struct nn_node *node) must_check;

void nn_plan_finish(struct nn_plan *plan);

/* For the operators' compile functions. */

/**
 * Adds a step for a node with `params_size` zeroed bytes of parameters, its operands as the node
 * has them, its output as fused. NULL (and the error set) without memory or if an operand is no float.
 */
struct nn_step *nn_plan_add(struct nn_plan *plan, const struct nn_node *node, size_t params_size);

/** Adds a step that stands for no node but is needed by `node`, with room for its operands. */
struct nn_step *nn_plan_add_bare(struct nn_plan *plan, const struct nn_node *node, size_t params_size);

/** Shape of an operand, or NULL when it is left out. */
const struct nn_shape *nn_plan_input(const struct nn_plan *plan, const struct nn_node *node, unsigned index);

/** Shape of the node's own output. */
const struct nn_shape *nn_plan_output(const struct nn_plan *plan, const struct nn_node *node);

/** What was fused into this node. */
struct nn_fusion nn_plan_fusion(const struct nn_plan *plan, const struct nn_node *node);

/** Work a step does without multiplying: as many operations as the output has elements. */
uint64_t nn_plan_elements(const struct nn_plan *plan, const struct nn_node *node);

#endif
