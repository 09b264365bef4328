#include "nn/simplify.h"

#include <stdlib.h>

#include "nn/evaluate.h"
#include "nn/operator.h"
#include "nn/ops/norm.h"
#include "nn/ops/ops.h"

/* Lets whoever reads the output of an Identity read its input; outputs of the graph stay where they are. */
static int skip_identities(struct nn_graph *graph, struct error *err)
{
	uint32_t *stands_for = calloc(graph->value_count + 1, sizeof(*stands_for));

	if (!stands_for)
		return nn_out_of_memory(err);
	for (unsigned i = 0; i < graph->value_count; i++)
		stands_for[i] = i;
	for (unsigned i = 0; i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];

		for (unsigned k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != NN_NO_VALUE)
				node->inputs[k] = stands_for[node->inputs[k]];
		}
		if (node->op == &nn_op_identity || (node->op == &nn_op_dropout && node->input_count < 3))
			stands_for[node->outputs[0]] = node->inputs[0];
	}
	free(stands_for);
	return 0;
}

static int fold_constants(struct nn_graph *graph, const struct nn_kernels *kernels, struct error *err)
{
	struct nn_shape *shapes = calloc(graph->value_count + 1, sizeof(*shapes));
	int r = shapes ? 0 : nn_out_of_memory(err);
	int64_t folded = 0;

	for (unsigned i = 0; r == 0 && i < graph->value_count; i++) {
		if (graph->values[i].constant)
			shapes[i] = graph->values[i].constant->shape;
	}
	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		struct nn_node *node = &graph->nodes[i];
		struct nn_tensor *result;

		/* The shape of an input is not known yet. */
		if (!nn_is_known(graph, node) || (node->op == &nn_op_shape && !nn_node_constant(graph, node, 0)))
			continue;
		r = nn_evaluate(&result, graph, node, shapes, kernels, err);
		if (r < 0)
			break;
		graph->values[node->outputs[0]].constant = result;
		folded += nn_shape_count(&result->shape);
		if (folded > NN_MAX_FOLDED)
			r = nn_node_fail(node, err, "too many constants are computed");
	}
	free(shapes);
	return r;
}

/* Writes weights and bias that do convolution and normalisation at once as new constants. */
static int fold_batch_norm(struct nn_graph *graph, struct nn_node *conv, const struct nn_node *norm, struct error *err)
{
	const struct nn_tensor *weights = nn_node_constant(graph, conv, 1);
	const struct nn_tensor *bias = nn_node_constant(graph, conv, 2);
	int64_t channels = weights->shape.dim[0];
	int64_t depth = nn_shape_span(&weights->shape, 1, weights->shape.rank);
	struct nn_shape bias_shape = {.rank = 1, .dim = {channels}};
	struct nn_tensor *new_weights = nn_tensor_new(NN_FLOAT32, &weights->shape);
	struct nn_tensor *new_bias = nn_tensor_new(NN_FLOAT32, &bias_shape);
	uint32_t *inputs = calloc(3, sizeof(*inputs));

	for (int64_t c = 0; new_weights && new_bias && c < channels; c++) {
		double factor;
		double offset;

		nn_norm_channel(graph, norm, c, &factor, &offset);
		for (int64_t k = 0; k < depth; k++)
			new_weights->f32[c * depth + k] = (float)(factor * weights->f32[c * depth + k]);
		new_bias->f32[c] = (float)(factor * (bias ? bias->f32[c] : 0) + offset);
	}
	if (!inputs || !new_weights || !new_bias)
		goto fail;
	inputs[0] = conv->inputs[0];
	inputs[1] = nn_graph_add_value(graph, "folded weights", new_weights);
	if (inputs[1] == NN_NO_VALUE)
		goto fail;
	new_weights = NULL;
	inputs[2] = nn_graph_add_value(graph, "folded bias", new_bias);
	if (inputs[2] == NN_NO_VALUE)
		goto fail;
	free(conv->inputs);
	conv->inputs = inputs;
	conv->input_count = 3;
	conv->outputs[0] = norm->outputs[0];
	return 0;
fail:
	free(inputs);
	nn_tensor_free(new_weights);
	nn_tensor_free(new_bias);
	return nn_out_of_memory(err);
}

/* True for a convolution with constant, sensible weights whose result only `norm` reads. */
static bool can_fold(const struct nn_graph *graph, const struct nn_node *conv, const struct nn_node *norm)
{
	const struct nn_tensor *weights = nn_node_constant(graph, conv, 1);
	const struct nn_tensor *bias = nn_node_constant(graph, conv, 2);

	if (conv->op != &nn_op_conv || norm->op != &nn_op_batch_normalization || norm->inputs[0] != conv->outputs[0] ||
	    graph->values[conv->outputs[0]].uses != 1)
		return false;
	if (!weights || weights->type != NN_FLOAT32 || weights->shape.rank != 4 ||
	    !nn_norm_is_constant(graph, norm, weights->shape.dim[0]))
		return false;
	return conv->input_count < 3 ||
	       (bias && bias->type == NN_FLOAT32 && nn_shape_count(&bias->shape) == weights->shape.dim[0]);
}

static int fold_batch_norms(struct nn_graph *graph, struct error *err)
{
	uint32_t *producer = calloc(graph->value_count + 1, sizeof(*producer));
	int r = producer ? 0 : nn_out_of_memory(err);

	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		struct nn_node *norm = &graph->nodes[i];

		producer[norm->outputs[0]] = i + 1;
		unsigned before = norm->op == &nn_op_batch_normalization ? producer[norm->inputs[0]] : 0;
		if (before == 0 || !can_fold(graph, &graph->nodes[before - 1], norm))
			continue;
		r = fold_batch_norm(graph, &graph->nodes[before - 1], norm, err);
		producer[norm->outputs[0]] = before;
		nn_node_finish(norm);
	}
	free(producer);
	return r;
}

/* The one number a node multiplies its first input with, none of whose dimensions it adds to; NULL: it is no such node.
 */
static const float *factor_of(const struct nn_graph *graph, const struct nn_node *node)
{
	const struct nn_tensor *factor = node->op == &nn_op_mul ? nn_node_constant(graph, node, 1) : NULL;

	/* A convolution's input has rank 4: below that the factor cannot have raised it. */
	if (!factor || factor->type != NN_FLOAT32 || factor->shape.rank > 3 || nn_shape_count(&factor->shape) != 1)
		return NULL;
	return factor->f32;
}

/* Lets a convolution read what `scale` multiplies, with weights multiplied instead: padding is zero both ways. */
static int fold_scale(struct nn_graph *graph, struct nn_node *conv, const struct nn_node *scale, struct error *err)
{
	const struct nn_tensor *weights = nn_node_constant(graph, conv, 1);
	struct nn_tensor *scaled = nn_tensor_new(NN_FLOAT32, &weights->shape);
	float factor = *factor_of(graph, scale);

	if (!scaled)
		return nn_out_of_memory(err);
	for (int64_t i = 0; i < nn_shape_count(&weights->shape); i++)
		scaled->f32[i] = factor * weights->f32[i];
	uint32_t value = nn_graph_add_value(graph, "scaled weights", scaled);
	if (value == NN_NO_VALUE) {
		nn_tensor_free(scaled);
		return nn_out_of_memory(err);
	}
	conv->inputs[0] = scale->inputs[0];
	conv->inputs[1] = value;
	return 0;
}

/* The scaling of pixels that networks begin with, mostly. */
static int fold_scales(struct nn_graph *graph, struct error *err)
{
	const struct nn_node **scales = calloc(graph->value_count + 1, sizeof(*scales));
	unsigned values = graph->value_count;
	int r = scales ? 0 : nn_out_of_memory(err);

	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		struct nn_node *node = &graph->nodes[i];
		const struct nn_tensor *weights = node->op == &nn_op_conv ? nn_node_constant(graph, node, 1) : NULL;

		if (factor_of(graph, node) && graph->values[node->outputs[0]].uses == 1)
			scales[node->outputs[0]] = node;
		if (weights && weights->type == NN_FLOAT32 && node->inputs[0] < values && scales[node->inputs[0]])
			r = fold_scale(graph, node, scales[node->inputs[0]], err);
	}
	free(scales);
	return r;
}

static bool is_needed(const struct nn_graph *graph, const struct nn_node *node)
{
	const struct nn_value *output = &graph->values[node->outputs[0]];

	return output->uses > 0 && !output->constant;
}

static void drop_dead_nodes(struct nn_graph *graph)
{
	unsigned kept = 0;

	/* From the back: a node that goes takes its uses of earlier ones with it. */
	nn_graph_count_uses(graph);
	for (unsigned i = graph->node_count; i > 0; i--) {
		struct nn_node *node = &graph->nodes[i - 1];

		if (!node->op || is_needed(graph, node))
			continue;
		for (unsigned k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != NN_NO_VALUE)
				graph->values[node->inputs[k]].uses--;
		}
		nn_node_finish(node);
	}
	for (unsigned i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].op)
			graph->nodes[kept++] = graph->nodes[i];
	}
	graph->node_count = kept;
}

void nn_release_constants(struct nn_graph *graph)
{
	nn_graph_count_uses(graph);
	for (unsigned i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].packed)
			graph->values[graph->nodes[i].inputs[1]].uses--;
	}
	for (unsigned i = 0; i < graph->value_count; i++) {
		struct nn_value *value = &graph->values[i];

		if (value->constant && value->uses == 0) {
			free(value->constant->data);
			value->constant->data = NULL;
		}
	}
	nn_graph_count_uses(graph);
}

int nn_simplify(struct nn_graph *graph, const struct nn_kernels *kernels, struct error *err)
{
	int r = skip_identities(graph, err);
	if (r == 0)
		r = fold_constants(graph, kernels, err);
	if (r < 0)
		return r;
	drop_dead_nodes(graph);
	r = fold_batch_norms(graph, err);
	if (r == 0)
		r = fold_scales(graph, err);
	if (r < 0)
		return r;
	drop_dead_nodes(graph);
	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		struct nn_node *node = &graph->nodes[i];

		if (node->op->prepare)
			r = node->op->prepare(graph, node, kernels, err);
	}
	return r;
}
