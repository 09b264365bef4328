#include "nn/evaluate.h"

#include <stdlib.h>

#include "nn/infer.h"
#include "nn/operator.h"
#include "nn/plan.h"

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

int nn_evaluate(struct nn_tensor **out, const struct nn_graph *graph, struct nn_node *node, struct nn_shape *shapes,
		const struct nn_kernels *kernels, struct error *err)
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
