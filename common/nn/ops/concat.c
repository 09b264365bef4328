#include <string.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/* Every operand is `outer` runs of its own length, laid one after the other in turns. */
struct concat {
	int64_t outer;
	int64_t run[];
};

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct concat *c = step->params;

	(void)scratch;
	for (int64_t i = 0; i < c->outer; i++) {
		for (unsigned k = 0; k < step->input_count; k++) {
			memcpy(out, in[k] + i * c->run[k], (size_t)c->run[k] * sizeof(float));
			out += c->run[k];
		}
	}
}

static int check(const struct nn_node *node, struct error *err)
{
	return nn_node_attribute(node, "axis") ? 0 : nn_node_fail(node, err, "axis is missing");
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);
	int64_t axis = nn_node_int(node, "axis", 0);

	if (!nn_shape_axis(&shape, &axis))
		return nn_node_fail(node, in->err, "axis %lld of rank %d", (long long)axis, shape.rank);
	for (unsigned i = 1; i < node->input_count; i++) {
		struct nn_shape other = *nn_infer_input(in, node, i);
		int64_t length = other.rank == shape.rank ? other.dim[axis] : 0;

		if (other.rank == shape.rank)
			other.dim[axis] = shape.dim[axis];
		if (!nn_shape_equal(&other, &shape))
			return nn_node_fail(node, in->err, "input %u does not fit the others", i);
		shape.dim[axis] += length;
	}
	return nn_infer_output(in, node, &shape);
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct concat) + node->input_count * sizeof(int64_t));
	int64_t axis = nn_node_int(node, "axis", 0);

	if (!step)
		return error_errno(plan->err);
	struct concat *c = step->params;
	if (!nn_shape_axis(nn_plan_output(plan, node), &axis))
		return nn_node_fail(node, plan->err, "axis is out of range");
	c->outer = nn_shape_span(nn_plan_output(plan, node), 0, (int)axis);
	for (unsigned i = 0; i < node->input_count; i++) {
		const struct nn_shape *input = nn_plan_input(plan, node, i);
		c->run[i] = nn_shape_span(input, (int)axis, input->rank);
	}
	step->run = run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

const struct nn_operator nn_op_concat = {
    .name = "Concat",
    .attributes = "axis:i",
    .min_inputs = 1,
    .max_inputs = NN_MAX_OPERANDS,
    .data_inputs = NN_MAX_OPERANDS,
    .check = check,
    .on_integers = true,
    .infer = infer,
    .compile = compile,
};
