#include "nn/infer.h"

#include <assert.h>
#include <string.h>

#include "nn/evaluate.h"
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

int nn_infer_integers(const struct nn_graph *graph, const struct nn_node *node, unsigned index,
		      const struct nn_tensor **out, struct error *err)
{
	const struct nn_tensor *tensor = nn_node_constant(graph, node, index);

	if (!tensor)
		return nn_node_fail(node, err, "input %u must follow from constants and shapes", index);
	if (tensor->type != NN_INT64 || tensor->shape.rank > 1)
		return nn_node_fail(node, err, "input %u must be a list of integers", index);
	*out = tensor;
	return 0;
}

int nn_infer_given_shape(const struct nn_infer *infer, const struct nn_node *node, unsigned index, struct nn_shape *out)
{
	const struct nn_tensor *given;
	int r = nn_infer_integers(infer->graph, node, index, &given, infer->err);

	if (r < 0)
		return r;
	if (nn_shape_count(&given->shape) > NN_MAX_RANK)
		return nn_node_fail(node, infer->err, "more than %d dimensions", NN_MAX_RANK);
	*out = (struct nn_shape){.rank = (int)nn_shape_count(&given->shape)};
	memcpy(out->dim, given->i64, (size_t)out->rank * sizeof(int64_t));
	return 0;
}

int nn_infer_same(struct nn_infer *infer, const struct nn_node *node)
{
	return nn_infer_output(infer, node, nn_infer_input(infer, node, 0));
}

/* Weights are packed when the network is loaded, so they must be known by then. */
static int check_weights(const struct nn_infer *infer, const struct nn_node *node)
{
	for (unsigned i = 0; node->op->prepare && i < node->input_count; i++) {
		uint32_t value = node->inputs[i];

		if (value != NN_NO_VALUE && infer->graph->values[value].constant != infer->loaded[value].constant)
			return nn_node_fail(node, infer->err, "input %u depends on the shape of the network's input",
					    i);
	}
	return 0;
}

/* `folded` counts the elements of all constants that were computed. */
static int infer_node(struct nn_infer *infer, struct nn_node *node, int64_t *folded)
{
	struct nn_graph *graph = infer->graph;
	struct nn_tensor *constant;
	int r = check_weights(infer, node);

	if (r < 0 || !nn_is_known(graph, node))
		return r < 0 ? r : node->op->infer(infer, node);
	r = nn_evaluate(&constant, graph, node, infer->shapes, infer->kernels, infer->err);
	if (r < 0)
		return r;
	graph->values[node->outputs[0]].constant = constant;
	*folded += nn_shape_count(&constant->shape);
	return *folded > NN_MAX_FOLDED ? nn_node_fail(node, infer->err, "too many constants are computed") : 0;
}

int nn_infer_graph(struct nn_infer *infer, const struct nn_shape *input)
{
	const struct nn_graph *graph = infer->graph;
	int64_t folded = 0;
	int r = 0;

	for (unsigned i = 0; i < graph->value_count; i++) {
		if (graph->values[i].constant)
			infer->shapes[i] = graph->values[i].constant->shape;
	}
	if (graph->input_count > 0)
		infer->shapes[graph->inputs[0].value] = *input;
	for (unsigned i = 0; r == 0 && i < graph->node_count; i++)
		r = infer_node(infer, &graph->nodes[i], &folded);
	return r;
}
