#include <string.h>

#include "nn/ops/ops.h"
#include "nn/ops/pick.h"

static int check_pad(const struct nn_node *node, struct error *err)
{
	const char *mode = nn_node_string(node, "mode", "constant");

	if (strcmp(mode, "constant") != 0 && strcmp(mode, "reflect") != 0 && strcmp(mode, "edge") != 0)
		return nn_node_fail(node, err, "mode '%.20s' is not supported", mode);
	return 0;
}

/* How much is added before and behind each axis; negative numbers take away. */
static int read_pads(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		     int64_t before[NN_MAX_RANK], int64_t behind[NN_MAX_RANK], struct error *err)
{
	const int64_t *pads;
	const int64_t *axes;
	int64_t count;
	int64_t axis_count;
	int r = nn_pick_list(graph, node, "pads", 1, 11, &pads, &count, err);

	if (r == 0)
		r = nn_pick_list(graph, node, "axes", 3, 18, &axes, &axis_count, err);
	if (r < 0)
		return r;
	axis_count = axes ? axis_count : input->rank;
	if (!pads || count != 2 * axis_count)
		return nn_node_fail(node, err, "pads must be two numbers for each axis");
	memset(before, 0, NN_MAX_RANK * sizeof(*before));
	memset(behind, 0, NN_MAX_RANK * sizeof(*behind));
	for (int64_t i = 0; i < axis_count; i++) {
		int64_t axis = axes ? axes[i] : i;
		int64_t least = -NN_MAX_ELEMENTS;

		if (!nn_shape_axis(input, &axis) || pads[i] < least || pads[i] > NN_MAX_ELEMENTS ||
		    pads[axis_count + i] < least || pads[axis_count + i] > NN_MAX_ELEMENTS)
			return nn_node_fail(node, err, "pads or axes are out of range");
		before[axis] = pads[i];
		behind[axis] = pads[axis_count + i];
	}
	return 0;
}

static int infer_pad(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);
	bool reflects = strcmp(nn_node_string(node, "mode", "constant"), "reflect") == 0;
	int64_t before[NN_MAX_RANK];
	int64_t behind[NN_MAX_RANK];
	int r = read_pads(in->graph, node, &shape, before, behind, in->err);

	if (r < 0)
		return r;
	for (int i = 0; i < shape.rank; i++) {
		if (reflects && (before[i] >= shape.dim[i] || behind[i] >= shape.dim[i]))
			return nn_node_fail(node, in->err, "axis %d is too short to be reflected so far", i);
		shape.dim[i] += before[i] + behind[i];
	}
	return nn_infer_output(in, node, &shape);
}

static int64_t padded_place(const char *mode, int64_t place, int64_t dim)
{
	if (place >= 0 && place < dim)
		return place;
	if (dim == 0 || strcmp(mode, "constant") == 0)
		return NN_PICK_OUTSIDE;
	if (strcmp(mode, "edge") == 0)
		return place < 0 ? 0 : dim - 1;
	return place < 0 ? -place : 2 * (dim - 1) - place;
}

/* The number that fills; an attribute before opset 11. */
static int read_fill(const struct nn_plan *plan, const struct nn_node *node, float *fill)
{
	const struct nn_tensor *value = nn_node_constant(plan->graph, node, 2);

	*fill = nn_node_float(node, "value", 0);
	if (nn_node_input(node, 2) == NN_NO_VALUE)
		return 0;
	if (!value || value->type != NN_FLOAT32 || nn_shape_count(&value->shape) != 1)
		return nn_node_fail(node, plan->err, "constant_value must be one constant float32");
	*fill = value->f32[0];
	return 0;
}

static int compile_pad(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	const struct nn_shape *output = nn_plan_output(plan, node);
	const char *mode = nn_node_string(node, "mode", "constant");
	int64_t before[NN_MAX_RANK];
	int64_t behind[NN_MAX_RANK];
	int64_t *tables[NN_MAX_RANK];
	float fill;
	int r = read_pads(plan->graph, node, input, before, behind, plan->err);

	if (r == 0)
		r = read_fill(plan, node, &fill);
	if (r == 0)
		r = nn_pick_add(plan, node, *input, *output, fill, tables);
	for (int i = 0; r == 0 && i < output->rank; i++) {
		for (int64_t k = 0; k < output->dim[i]; k++)
			tables[i][k] = padded_place(mode, k - before[i], input->dim[i]);
	}
	return r;
}

const struct nn_operator nn_op_pad = {
    .name = "Pad",
    .attributes = "mode:s pads:I value:f",
    .min_inputs = 1,
    .max_inputs = 4,
    .data_inputs = 1,
    .check = check_pad,
    .infer = infer_pad,
    .compile = compile_pad,
};
