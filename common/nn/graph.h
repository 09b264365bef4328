#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "nn/attribute.h"
#include "nn/tensor.h"

#define NN_MAX_NODES 8192
#define NN_MAX_VALUES 65536
/** Inputs or outputs of one node, and of the graph. */
#define NN_MAX_OPERANDS 256

/** An optional input or output that the file leaves out. */
#define NN_NO_VALUE UINT32_MAX

struct nn_operator;

/** Something nodes pass on: a constant, an input of the graph, or the output of one node. */
struct nn_value {
	char *name;
	struct nn_tensor *constant; /**< owned; NULL for what is known only when running */
	unsigned uses;              /**< by nodes and as an output of the graph; see nn_graph_count_uses() */
	unsigned outputs;           /**< times it is an output of the graph */
};

/** One operation. Values are named by their index in the graph. */
struct nn_node {
	const struct nn_operator *op;
	char *name;
	int opset;
	unsigned part; /**< which output of an operator that has several, and how many it has */
	unsigned parts;
	unsigned input_count;
	unsigned output_count;
	uint32_t *inputs;
	uint32_t *outputs;
	size_t attribute_count;
	struct nn_attribute *attributes;
	struct nn_tensor *packed; /**< what the operator's prepare made of its weights; owned */
};

/** A named input or output of the whole; sizes that the file leaves open are -1. */
struct nn_port {
	uint32_t value;
	struct nn_shape shape;
};

/** The network: values, and nodes in an order in which every operand is there before it is used. */
struct nn_graph {
	struct nn_value *values;
	unsigned value_count;
	unsigned value_capacity;
	struct nn_node *nodes;
	unsigned node_count;
	struct nn_port *inputs;
	unsigned input_count;
	struct nn_port *outputs;
	unsigned output_count;
};

void nn_graph_finish(struct nn_graph *graph);

/** Adds a value and takes its constant over (NULL: none). Returns its index or NN_NO_VALUE without memory. */
uint32_t nn_graph_add_value(struct nn_graph *graph, const char *name, struct nn_tensor *constant);

/** Recounts `uses` and `outputs` of every value after nodes changed. */
void nn_graph_count_uses(struct nn_graph *graph);

/** Frees what a node owns and leaves it empty. */
void nn_node_finish(struct nn_node *node);

/** The value index of an input, NN_NO_VALUE when it is left out. */
uint32_t nn_node_input(const struct nn_node *node, unsigned index);

/** The constant behind an input; NULL when it is left out or known only when running. */
const struct nn_tensor *nn_node_constant(const struct nn_graph *graph, const struct nn_node *node, unsigned index);

/** Attributes by name; kinds were checked when the file was loaded. NULL / `fallback` when absent. */
const struct nn_attribute *nn_node_attribute(const struct nn_node *node, const char *name);
int64_t nn_node_int(const struct nn_node *node, const char *name, int64_t fallback);
float nn_node_float(const struct nn_node *node, const char *name, float fallback);
const char *nn_node_string(const struct nn_node *node, const char *name, const char *fallback);

/** Sets ERROR_MODEL with "node 'name' (Operator): …" and returns its errno. */
int nn_node_fail(const struct nn_node *node, struct error *err, const char *fmt, ...) printf_like(3, 4);

/** ERROR_MODEL "out of memory", so that callers need no second error path. */
int nn_out_of_memory(struct error *err);

#endif
