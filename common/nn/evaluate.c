#include "nn/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "nn/infer.h"
#include "nn/operator.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

bool nn_is_known(const struct nn_graph *graph, const struct nn_node *node)
{
	for (unsigned i = 0; i < node->input_count; i++) {
		if (node->inputs[i] != NN_NO_VALUE && !graph->values[node->inputs[i]].constant)
			return node->op == &nn_op_shape;
	}
	return true;
}

static int run_step(struct nn_tensor *out, const struct nn_graph *graph, const struct nn_step *step, struct error *err)
{
	const float *operands[NN_MAX_OPERANDS + 1];
	struct nn_shape shape = {.rank = 1, .dim = {(int64_t)(step->scratch / sizeof(float))}};
	struct nn_tensor *scratch = nn_shape_valid(&shape) ? nn_tensor_new(NN_FLOAT32, &shape) : NULL;

	if (!scratch)
		return nn_out_of_memory(err);
	for (unsigned i = 0; i < step->input_count; i++)
		operands[i] = graph->values[step->inputs[i]].constant->f32;
	step->run(step, operands, out->f32, scratch->f32);
	nn_tensor_free(scratch);
	return 0;
}

static int compute(struct nn_tensor *out, const struct nn_graph *graph, struct nn_node *node,
		   const struct nn_shape *shapes, const struct nn_kernels *kernels, struct error *err)
{
	struct nn_plan plan = {.graph = graph, .kernels = kernels, .shapes = shapes, .err = err};
	int r = node->op->prepare ? node->op->prepare(graph, node, kernels, err) : 0;

	if (r == 0)
		r = nn_plan_compile_node(&plan, node);
	if (r == 0)
		r = run_step(out, graph, &plan.steps[0], err);
	nn_plan_finish(&plan);
	return r;
}

static int evaluate_floats(struct nn_tensor **out, struct nn_graph *graph, struct nn_node *node,
			   struct nn_shape *shapes, const struct nn_kernels *kernels, struct error *err)
{
	struct nn_infer infer = {.graph = graph, .shapes = shapes, .err = err};
	int r = node->op->infer(&infer, node);

	if (r < 0)
		return r;
	const struct nn_shape *shape = &shapes[node->outputs[0]];
	if (nn_shape_count(shape) > NN_MAX_FOLDED)
		return nn_node_fail(node, err, "a constant of %lld elements is too large",
				    (long long)nn_shape_count(shape));
	struct nn_tensor *tensor = node->op->is_view ? nn_tensor_reshaped(nn_node_constant(graph, node, 0), shape)
						     : nn_tensor_new(NN_FLOAT32, shape);
	if (!tensor)
		return nn_out_of_memory(err);
	if (!node->op->is_view && nn_shape_count(shape) > 0)
		r = compute(tensor, graph, node, shapes, kernels, err);
	if (r < 0)
		nn_tensor_free(tensor);
	else
		*out = tensor;
	return r;
}

static bool reads_integers(const struct nn_graph *graph, const struct nn_node *node)
{
	for (unsigned i = 0; i < node->input_count && i < node->op->data_inputs; i++) {
		const struct nn_tensor *tensor = nn_node_constant(graph, node, i);

		if (tensor && tensor->type == NN_INT64)
			return true;
	}
	return false;
}

static int to_floats(struct nn_tensor **out, const struct nn_tensor *integers, const struct nn_node *node,
		     struct error *err)
{
	struct nn_tensor *floats = nn_tensor_new(NN_FLOAT32, &integers->shape);
	int r = floats ? 0 : nn_out_of_memory(err);

	for (int64_t i = 0; r == 0 && i < nn_shape_count(&integers->shape); i++) {
		if (integers->i64[i] < -NN_MAX_INTEGER || integers->i64[i] > NN_MAX_INTEGER)
			r = nn_node_fail(node, err, "computing with %lld is not supported, only up to %d",
					 (long long)integers->i64[i], NN_MAX_INTEGER);
		else
			floats->f32[i] = (float)integers->i64[i];
	}
	if (r < 0)
		nn_tensor_free(floats);
	else
		*out = floats;
	return r;
}

/* Rounds towards zero, as the division of integers does: what it rounds is exact or no whole number. */
static int to_integers(struct nn_tensor **out, const struct nn_tensor *floats, const struct nn_node *node,
		       struct error *err)
{
	struct nn_tensor *integers = nn_tensor_new(NN_INT64, &floats->shape);
	int r = integers ? 0 : nn_out_of_memory(err);

	for (int64_t i = 0; r == 0 && i < nn_shape_count(&floats->shape); i++) {
		if (!(fabsf(floats->f32[i]) <= NN_MAX_INTEGER))
			r = nn_node_fail(node, err, "its integers leave the range up to %d", NN_MAX_INTEGER);
		else
			integers->i64[i] = (int64_t)floats->f32[i];
	}
	if (r < 0)
		nn_tensor_free(integers);
	else
		*out = integers;
	return r;
}

/* Puts floats in the place of the operands, `kept` having the integers. */
static int swap_in(struct nn_graph *graph, const struct nn_node *node, struct nn_tensor **kept, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < node->input_count && i < node->op->data_inputs; i++) {
		struct nn_tensor **place = &graph->values[node->inputs[i]].constant;
		struct nn_tensor *floats;

		if (!*place || (*place)->type != NN_INT64)
			continue; /* the same value twice is there already */
		r = to_floats(&floats, *place, node, err);
		if (r == 0) {
			kept[i] = *place;
			*place = floats;
		}
	}
	return r;
}

static void swap_back(struct nn_graph *graph, const struct nn_node *node, struct nn_tensor *const *kept)
{
	for (unsigned i = 0; i < node->input_count && i < node->op->data_inputs; i++) {
		if (!kept[i])
			continue;
		nn_tensor_free(graph->values[node->inputs[i]].constant);
		graph->values[node->inputs[i]].constant = kept[i];
	}
}

static int evaluate_integers(struct nn_tensor **out, struct nn_graph *graph, struct nn_node *node,
			     struct nn_shape *shapes, const struct nn_kernels *kernels, struct error *err)
{
	struct nn_tensor *kept[NN_MAX_OPERANDS] = {NULL};
	struct nn_tensor *floats = NULL;

	if (!node->op->on_integers)
		return nn_node_fail(node, err, "input 0 is not float32");
	for (unsigned i = 0; i < node->input_count && i < node->op->data_inputs; i++) {
		const struct nn_tensor *tensor = nn_node_constant(graph, node, i);

		if (!tensor || tensor->type != NN_INT64)
			return nn_node_fail(node, err, "input %u is no integer like the others", i);
	}
	int r = swap_in(graph, node, kept, err);
	if (r == 0)
		r = evaluate_floats(&floats, graph, node, shapes, kernels, err);
	swap_back(graph, node, kept);
	if (r == 0)
		r = to_integers(out, floats, node, err);
	nn_tensor_free(floats);
	return r;
}

int nn_evaluate(struct nn_tensor **out, struct nn_graph *graph, struct nn_node *node, struct nn_shape *shapes,
		const struct nn_kernels *kernels, struct error *err)
{
	int r;

	if (node->op->fold)
		r = node->op->fold(out, graph, node, shapes, err);
	else if (!node->op->is_view && reads_integers(graph, node))
		r = evaluate_integers(out, graph, node, shapes, kernels, err);
	else
		r = evaluate_floats(out, graph, node, shapes, kernels, err);
	if (r == 0)
		shapes[node->outputs[0]] = (*out)->shape;
	return r;
}
