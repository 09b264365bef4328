#include "nn/infer.h"

#include <assert.h>

#include "nn/operator.h"

const struct nn_shape *nn_infer_input(const struct nn_infer *infer, const struct nn_node *node, unsigned index)
{
	uint32_t value = nn_node_input(node, index);

	assert(value != NN_NO_VALUE);
	return &infer->shapes[value];
}

int nn_infer_output(struct nn_infer *infer, const struct nn_node *node, const struct nn_shape *shape)
{
	if (!nn_shape_valid(shape))
		return nn_node_fail(node, infer->err, "its output would have an impossible shape");
	infer->shapes[node->outputs[0]] = *shape;
	return 0;
}

int nn_infer_integers(const struct nn_infer *infer, const struct nn_node *node, unsigned index,
		      const struct nn_tensor **out)
{
	const struct nn_tensor *tensor = nn_node_constant(infer->graph, node, index);

	if (!tensor)
		return nn_node_fail(node, infer->err, "input %u must be a constant", index);
	if (tensor->type != NN_INT64 || tensor->shape.rank > 1)
		return nn_node_fail(node, infer->err, "input %u must be a list of integers", index);
	*out = tensor;
	return 0;
}

int nn_infer_same(struct nn_infer *infer, const struct nn_node *node)
{
	return nn_infer_output(infer, node, nn_infer_input(infer, node, 0));
}

int nn_infer_graph(struct nn_infer *infer, const struct nn_shape *input)
{
	const struct nn_graph *graph = infer->graph;

	for (unsigned i = 0; i < graph->value_count; i++) {
		if (graph->values[i].constant)
			infer->shapes[i] = graph->values[i].constant->shape;
	}
	infer->shapes[graph->inputs[0].value] = *input;
	for (unsigned i = 0; i < graph->node_count; i++) {
		int r = graph->nodes[i].op->infer(infer, &graph->nodes[i]);
		if (r < 0)
			return r;
	}
	return 0;
}
