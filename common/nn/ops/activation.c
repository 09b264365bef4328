#include "nn/ops/activation.h"

#include <math.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/* What Relu, Clip and LeakyRelu do to one number. */
struct rule {
	enum nn_activation activation;
	float low;
	float high;
	float slope;
};

static float bound(const struct nn_graph *graph, const struct nn_node *node, unsigned input, const char *attribute,
		   float fallback)
{
	const struct nn_tensor *constant = nn_node_constant(graph, node, input);

	return constant ? constant->f32[0] : nn_node_float(node, attribute, fallback);
}

/* A bound that is left out or a constant scalar of floats. */
static bool is_bound(const struct nn_graph *graph, const struct nn_node *node, unsigned input)
{
	const struct nn_tensor *constant = nn_node_constant(graph, node, input);

	if (nn_node_input(node, input) == NN_NO_VALUE)
		return true;
	return constant && constant->type == NN_FLOAT32 && nn_shape_count(&constant->shape) == 1;
}

static struct rule rule_of(const struct nn_graph *graph, const struct nn_node *node)
{
	if (node->op == &nn_op_relu)
		return (struct rule){NN_ACTIVATION_CLAMP, 0, INFINITY, 0};
	if (node->op == &nn_op_leaky_relu)
		return (struct rule){NN_ACTIVATION_SLOPE, 0, 0, nn_node_float(node, "alpha", 0.01f)};
	return (struct rule){
	    .activation = NN_ACTIVATION_CLAMP,
	    .low = bound(graph, node, 1, "min", -INFINITY),
	    .high = bound(graph, node, 2, "max", INFINITY),
	};
}

/* One slope, or [C,1,1] or [1,C,1,1] for a tensor [N,C,H,W]. */
static bool is_channel_slope(const struct nn_tensor *slope, const struct nn_shape *shape)
{
	if (!slope || slope->type != NN_FLOAT32)
		return false;
	if (nn_shape_count(&slope->shape) == 1)
		return true;
	int channel = slope->shape.rank - 3;
	return (channel == 0 || (channel == 1 && slope->shape.dim[0] == 1)) &&
	       slope->shape.dim[channel] == shape->dim[1] && slope->shape.dim[channel + 1] == 1 &&
	       slope->shape.dim[channel + 2] == 1;
}

bool nn_activation_is_fusible(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *shape)
{
	if (node->op == &nn_op_relu || node->op == &nn_op_leaky_relu)
		return true;
	if (node->op == &nn_op_clip)
		return is_bound(graph, node, 1) && is_bound(graph, node, 2);
	return node->op == &nn_op_prelu && is_channel_slope(nn_node_constant(graph, node, 1), shape);
}

void nn_activation_fill(struct nn_epilogue *epilogue, const struct nn_graph *graph, const struct nn_node *node,
			int64_t channels, float *slopes)
{
	if (node->op == &nn_op_prelu) {
		const struct nn_tensor *slope = nn_node_constant(graph, node, 1);
		bool is_one = nn_shape_count(&slope->shape) == 1;

		for (int64_t i = 0; i < channels; i++)
			slopes[i] = slope->f32[is_one ? 0 : i];
		epilogue->activation = NN_ACTIVATION_SLOPE;
	} else {
		struct rule rule = rule_of(graph, node);

		for (int64_t i = 0; i < channels; i++)
			slopes[i] = rule.slope;
		epilogue->activation = rule.activation;
		epilogue->low = rule.low;
		epilogue->high = rule.high;
	}
	epilogue->slope = slopes;
}

struct activation {
	struct rule rule;
	int64_t count;
};

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct activation *a = step->params;
	const float *x = in[0];
	float low = a->rule.low;
	float high = a->rule.high;
	float slope = a->rule.slope;

	(void)scratch;
	if (a->rule.activation == NN_ACTIVATION_SLOPE) {
		for (int64_t i = 0; i < a->count; i++)
			out[i] = x[i] < 0 ? x[i] * slope : x[i];
		return;
	}
	for (int64_t i = 0; i < a->count; i++) {
		float raised = x[i] < low ? low : x[i];
		out[i] = raised > high ? high : raised;
	}
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	if (!is_bound(plan->graph, node, 1) || !is_bound(plan->graph, node, 2))
		return nn_node_fail(node, plan->err, "min and max must be constant float32 scalars");
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct activation));
	if (!step)
		return error_errno(plan->err);
	struct activation *a = step->params;
	a->rule = rule_of(plan->graph, node);
	a->count = nn_shape_count(nn_plan_output(plan, node));
	step->run = run;
	step->macs = (uint64_t)a->count;
	return 0;
}

static int check_clip(const struct nn_node *node, struct error *err)
{
	if (node->opset < 11 ? node->input_count > 1 : node->attribute_count > 0)
		return nn_node_fail(node, err, "min and max are %s in opset %d",
				    node->opset < 11 ? "attributes" : "inputs", node->opset);
	return 0;
}

const struct nn_operator nn_op_relu = {
    .name = "Relu",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .infer = nn_infer_same,
    .compile = compile,
};

const struct nn_operator nn_op_leaky_relu = {
    .name = "LeakyRelu",
    .attributes = "alpha:f",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .infer = nn_infer_same,
    .compile = compile,
};

const struct nn_operator nn_op_clip = {
    .name = "Clip",
    .attributes = "max:f min:f",
    .min_inputs = 1,
    .max_inputs = 3,
    .data_inputs = 1,
    .check = check_clip,
    .infer = nn_infer_same,
    .compile = compile,
};
