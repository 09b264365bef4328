/* Expand and Gather. */
#include <string.h>

#include "nn/ops/ops.h"
#include "nn/ops/pick.h"

static int infer_expand(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape;
	int r = nn_infer_given_shape(in, node, 1, &shape);

	if (r < 0)
		return r;
	if (!nn_shape_valid(&shape) || !nn_shape_broadcast(&shape, nn_infer_input(in, node, 0), &shape))
		return nn_node_fail(node, in->err, "its input does not fit the shape asked for");
	return nn_infer_output(in, node, &shape);
}

static int compile_expand(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *output = nn_plan_output(plan, node);
	struct nn_shape input = *nn_plan_input(plan, node, 0);
	int missing = output->rank - input.rank;
	int64_t *tables[NN_MAX_RANK];

	memmove(input.dim + missing, input.dim, (size_t)input.rank * sizeof(input.dim[0]));
	for (int i = 0; i < missing; i++)
		input.dim[i] = 1;
	input.rank = output->rank;
	int r = nn_pick_add(plan, node, input, *output, 0, tables);
	for (int i = 0; r == 0 && i < output->rank; i++) {
		if (input.dim[i] == 1)
			memset(tables[i], 0, (size_t)output->dim[i] * sizeof(int64_t));
	}
	return r;
}

const struct nn_operator nn_op_expand = {
    .name = "Expand",
    .min_inputs = 2,
    .max_inputs = 2,
    .data_inputs = 1,
    .on_integers = true,
    .infer = infer_expand,
    .compile = compile_expand,
};

static int infer_gather(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	const struct nn_tensor *indices = nn_node_constant(in->graph, node, 1);
	int64_t axis = nn_node_int(node, "axis", 0);

	if (!indices || indices->type != NN_INT64)
		return nn_node_fail(node, in->err, "input 1 must be constant integers");
	if (!nn_shape_axis(input, &axis) || input->rank - 1 + indices->shape.rank > NN_MAX_RANK)
		return nn_node_fail(node, in->err, "axis is out of range, or more than %d dimensions", NN_MAX_RANK);
	for (int64_t i = 0; i < nn_shape_count(&indices->shape); i++) {
		if (indices->i64[i] < -input->dim[axis] || indices->i64[i] >= input->dim[axis])
			return nn_node_fail(node, in->err, "index %lld of %lld", (long long)indices->i64[i],
					    (long long)input->dim[axis]);
	}
	struct nn_shape shape = {.rank = input->rank - 1 + indices->shape.rank};
	for (int i = 0; i < shape.rank; i++) {
		int inside = i - (int)axis;
		int behind = inside - indices->shape.rank + 1;

		shape.dim[i] = inside < 0                     ? input->dim[i]
			       : inside < indices->shape.rank ? indices->shape.dim[inside]
							      : input->dim[axis + behind];
	}
	return nn_infer_output(in, node, &shape);
}

/* The axes before and behind are joined, and so are those of the indices. */
static int compile_gather(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	const struct nn_tensor *indices = nn_node_constant(plan->graph, node, 1);
	int64_t axis = nn_node_int(node, "axis", 0);
	int64_t *tables[NN_MAX_RANK];

	if (!nn_shape_axis(input, &axis))
		return nn_node_fail(node, plan->err, "axis is out of range");
	int64_t outer = nn_shape_span(input, 0, (int)axis);
	int64_t inner = nn_shape_span(input, (int)axis + 1, input->rank);
	int64_t count = nn_shape_count(&indices->shape);
	struct nn_shape from = {.rank = 3, .dim = {outer, input->dim[axis], inner}};
	struct nn_shape to = {.rank = 3, .dim = {outer, count, inner}};
	int r = nn_pick_add(plan, node, from, to, 0, tables);
	for (int64_t i = 0; r == 0 && i < count; i++)
		tables[1][i] = indices->i64[i] + (indices->i64[i] < 0 ? input->dim[axis] : 0);
	return r;
}

const struct nn_operator nn_op_gather = {
    .name = "Gather",
    .attributes = "axis:i",
    .min_inputs = 2,
    .max_inputs = 2,
    .data_inputs = 1,
    .on_integers = true,
    .infer = infer_gather,
    .compile = compile_gather,
};
