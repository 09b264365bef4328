#include "nn/plan.h"

#include <stdlib.h>

#include "nn/blocks.h"
#include "nn/operator.h"
#include "nn/ops/quantised_conv.h"
#include "nn/quantise.h"

void nn_plan_finish(struct nn_plan *plan)
{
	for (unsigned i = 0; i < plan->step_count; i++) {
		free(plan->steps[i].params);
		free(plan->steps[i].inputs);
	}
	free(plan->steps);
	free(plan->fusions);
	free(plan->made);
	plan->made = NULL;
	free(plan->is_quantised);
	free(plan->is_bytes);
	plan->steps = NULL;
	plan->fusions = NULL;
	plan->is_quantised = NULL;
	plan->is_bytes = NULL;
	plan->step_count = 0;
}

const struct nn_shape *nn_plan_input(const struct nn_plan *plan, const struct nn_node *node, unsigned index)
{
	uint32_t value = nn_node_input(node, index);

	return value == NN_NO_VALUE ? NULL : &plan->shapes[value];
}

const struct nn_shape *nn_plan_output(const struct nn_plan *plan, const struct nn_node *node)
{
	return &plan->shapes[node->outputs[0]];
}

struct nn_fusion nn_plan_fusion(const struct nn_plan *plan, const struct nn_node *node)
{
	return plan->fusions ? plan->fusions[node - plan->graph->nodes] : nn_fusion_none(node, 0);
}

uint64_t nn_plan_elements(const struct nn_plan *plan, const struct nn_node *node)
{
	return (uint64_t)nn_shape_count(nn_plan_output(plan, node));
}

static int fill_inputs(struct nn_plan *plan, struct nn_step *step, const struct nn_node *node, uint32_t residual)
{
	for (unsigned i = 0; i < node->input_count && i < node->op->data_inputs; i++) {
		const struct nn_tensor *constant = nn_node_constant(plan->graph, node, i);

		if (constant && constant->type != NN_FLOAT32)
			return nn_node_fail(node, plan->err, "input %u is not float32", i);
		step->inputs[step->input_count++] = node->inputs[i];
	}
	if (residual != NN_NO_VALUE)
		step->inputs[step->input_count++] = residual;
	return 0;
}

struct nn_step *nn_plan_add_bare(struct nn_plan *plan, const struct nn_node *node, size_t params_size)
{
	struct nn_step *step = &plan->steps[plan->step_count++];

	*step = (struct nn_step){.name = node->op->name, .node = node};
	step->params = calloc(1, params_size > 0 ? params_size : 1);
	step->inputs = calloc(node->input_count + 1, sizeof(*step->inputs));
	if (!step->params || !step->inputs) {
		nn_out_of_memory(plan->err);
		return NULL;
	}
	return step;
}

struct nn_step *nn_plan_add(struct nn_plan *plan, const struct nn_node *node, size_t params_size)
{
	struct nn_fusion fusion = nn_plan_fusion(plan, node);
	struct nn_step *step = nn_plan_add_bare(plan, node, params_size);

	if (!step)
		return NULL;
	step->output = fusion.output;
	return fill_inputs(plan, step, node, fusion.residual) == 0 ? step : NULL;
}

static int reserve(struct nn_plan *plan, unsigned steps)
{
	plan->steps = calloc(steps + 1, sizeof(*plan->steps));
	return plan->steps ? 0 : nn_out_of_memory(plan->err);
}

int nn_plan_compile_node(struct nn_plan *plan, const struct nn_node *node)
{
	int r = reserve(plan, 1);

	return r < 0 ? r : node->op->compile(plan, node);
}

/* What is there before the first step: constants and inputs. */
static int note_made(struct nn_plan *plan)
{
	const struct nn_graph *graph = plan->graph;

	plan->made = calloc(2 * (size_t)graph->value_count + 1, sizeof(*plan->made));
	if (!plan->made)
		return nn_out_of_memory(plan->err);
	for (unsigned i = 0; i < graph->value_count; i++)
		plan->made[i] = graph->values[i].constant != NULL;
	for (unsigned i = 0; i < graph->input_count; i++)
		plan->made[graph->inputs[i].value] = true;
	return 0;
}

/* Has the operands of a node that knows nothing of blocks be planes. A view is where its operand is. */
static int need_planes(struct nn_plan *plan, const struct nn_node *node)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < node->input_count && i < node->op->data_inputs; i++) {
		if (node->inputs[i] != NN_NO_VALUE)
			r = nn_plan_need(plan, node, node->inputs[i], NN_PLANES);
	}
	return r;
}

static int compile_node(struct nn_plan *plan, const struct nn_node *node)
{
	bool is_quantised = plan->is_quantised && plan->is_quantised[node - plan->graph->nodes];

	if (plan->graph->values[node->outputs[0]].constant)
		return 0; /* follows from shapes */
	int r = node->op->takes_blocks ? 0 : need_planes(plan, node);

	if (r < 0)
		return r;
	if (node->op->is_view || nn_plan_elements(plan, node) == 0) {
		plan->made[nn_plan_fusion(plan, node).output] = true;
		return 0;
	}
	r = is_quantised ? nn_quantised_conv_compile(plan, node) : node->op->compile(plan, node);
	if (r == 0)
		plan->made[plan->steps[plan->step_count - 1].output] = true;
	return r;
}

/* Outputs of the graph are planes. */
static int need_outputs(struct nn_plan *plan)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < plan->graph->node_count; i++) {
		const struct nn_node *node = &plan->graph->nodes[i];

		if (plan->graph->values[node->outputs[0]].outputs > 0)
			r = nn_plan_need(plan, node, node->outputs[0], NN_PLANES);
	}
	return r;
}

int nn_plan_compile(struct nn_plan *plan)
{
	const struct nn_graph *graph = plan->graph;
	/* Each value may have to be rearranged once in either direction. */
	int r = reserve(plan, graph->node_count + 2 * graph->value_count);

	if (r == 0)
		r = note_made(plan);
	if (r < 0)
		return r;
	plan->fusions = calloc(graph->node_count + 1, sizeof(*plan->fusions));
	if (!plan->fusions || nn_fuse(graph, plan->shapes, plan->fusions) < 0)
		return nn_out_of_memory(plan->err);
	r = plan->quantisation ? nn_quantise_plan(plan) : 0;
	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		const struct nn_fusion *head = &plan->fusions[plan->fusions[i].head];

		/* A fused step stands where its last operand is known. */
		if (head->last == i)
			r = compile_node(plan, &graph->nodes[plan->fusions[i].head]);
	}
	return r < 0 ? r : need_outputs(plan);
}
