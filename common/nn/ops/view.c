/* Operators that only change the shape. */

#include "nn/infer.h"
#include "nn/ops/ops.h"

static int infer_flatten(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	int64_t axis = nn_node_int(node, "axis", 1);

	if (axis != input->rank && !nn_shape_axis(input, &axis))
		return nn_node_fail(node, in->err, "axis %lld of rank %d", (long long)axis, input->rank);
	struct nn_shape shape = {
	    .rank = 2,
	    .dim = {nn_shape_span(input, 0, (int)axis), nn_shape_span(input, (int)axis, input->rank)},
	};
	return nn_infer_output(in, node, &shape);
}

/* Replaces 0 (keep) and one -1 (what is left) in the shape a Reshape asks for. */
static int resolve(struct nn_infer *in, const struct nn_node *node, struct nn_shape *shape)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	bool zero_is_zero = nn_node_int(node, "allowzero", 0) != 0;
	int64_t count = nn_shape_count(input);
	int open = -1;

	for (int i = 0; i < shape->rank; i++) {
		if (shape->dim[i] == 0 && !zero_is_zero && i < input->rank)
			shape->dim[i] = input->dim[i];
		if (shape->dim[i] == -1 && open < 0) {
			open = i;
			shape->dim[i] = 1;
		}
	}
	if (!nn_shape_valid(shape))
		return nn_node_fail(node, in->err, "impossible shape");
	int64_t known = nn_shape_count(shape);
	if (open >= 0 && known > 0 && count % known == 0)
		shape->dim[open] = count / known;
	if (nn_shape_count(shape) != count) {
		char from[NN_SHAPE_TEXT];
		char to[NN_SHAPE_TEXT];

		return nn_node_fail(node, in->err, "%s cannot become %s", nn_shape_format(input, from, sizeof(from)),
				    nn_shape_format(shape, to, sizeof(to)));
	}
	return 0;
}

static int infer_reshape(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape;
	int r = nn_infer_given_shape(in, node, 1, &shape);

	if (r == 0)
		r = resolve(in, node, &shape);
	return r < 0 ? r : nn_infer_output(in, node, &shape);
}

/* The axes that Squeeze and Unsqueeze are about: an attribute up to opset 12, an input since. */
static int read_axes(const struct nn_infer *in, const struct nn_node *node, const int64_t **axes, int64_t *count)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, "axes");
	const struct nn_tensor *input;

	*axes = NULL;
	*count = 0;
	if (node->opset < 13 ? nn_node_input(node, 1) != NN_NO_VALUE : attribute != NULL)
		return nn_node_fail(node, in->err, "axes are %s in opset %d",
				    node->opset < 13 ? "an attribute" : "an input", node->opset);
	if (attribute) {
		*axes = attribute->ints;
		*count = (int64_t)attribute->count;
	} else if (nn_node_input(node, 1) != NN_NO_VALUE) {
		int r = nn_infer_integers(in->graph, node, 1, &input, in->err);

		if (r < 0)
			return r;
		*axes = input->i64;
		*count = nn_shape_count(&input->shape);
	}
	return 0;
}

/* Marks the axes of a shape of rank `rank`. */
static int mark_axes(const struct nn_infer *in, const struct nn_node *node, int rank, const int64_t *axes,
		     int64_t count, bool marked[NN_MAX_RANK])
{
	for (int64_t i = 0; i < count; i++) {
		int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];

		if (axis < 0 || axis >= rank || marked[axis])
			return nn_node_fail(node, in->err, "axis %lld is twice there or not in rank %d",
					    (long long)axes[i], rank);
		marked[axis] = true;
	}
	return 0;
}

static int infer_squeeze(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	bool marked[NN_MAX_RANK] = {false};
	struct nn_shape shape = {.rank = 0};
	const int64_t *axes;
	int64_t count;
	int r = read_axes(in, node, &axes, &count);

	if (r == 0)
		r = mark_axes(in, node, input->rank, axes, count, marked);
	if (r < 0)
		return r;
	for (int i = 0; i < input->rank; i++) {
		if (marked[i] && input->dim[i] != 1)
			return nn_node_fail(node, in->err, "axis %d has size %lld", i, (long long)input->dim[i]);
		if (!marked[i] && (axes || input->dim[i] != 1))
			shape.dim[shape.rank++] = input->dim[i];
	}
	return nn_infer_output(in, node, &shape);
}

static int infer_unsqueeze(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	bool marked[NN_MAX_RANK] = {false};
	struct nn_shape shape = {.rank = 0};
	const int64_t *axes;
	int64_t count;
	int from = 0;
	int r = read_axes(in, node, &axes, &count);

	if (r < 0)
		return r;
	if (!axes || count + input->rank > NN_MAX_RANK)
		return nn_node_fail(node, in->err, "no axes, or more than %d dimensions", NN_MAX_RANK);
	shape.rank = input->rank + (int)count;
	r = mark_axes(in, node, shape.rank, axes, count, marked);
	if (r < 0)
		return r;
	for (int i = 0; i < shape.rank; i++)
		shape.dim[i] = marked[i] ? 1 : input->dim[from++];
	return nn_infer_output(in, node, &shape);
}

const struct nn_operator nn_op_flatten = {
    .name = "Flatten",
    .attributes = "axis:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .is_view = true,
    .infer = infer_flatten,
};

const struct nn_operator nn_op_reshape = {
    .name = "Reshape",
    .attributes = "allowzero:i",
    .min_inputs = 2,
    .max_inputs = 2,
    .data_inputs = 1,
    .is_view = true,
    .infer = infer_reshape,
};

const struct nn_operator nn_op_squeeze = {
    .name = "Squeeze",
    .attributes = "axes:I",
    .min_inputs = 1,
    .max_inputs = 2,
    .data_inputs = 1,
    .is_view = true,
    .infer = infer_squeeze,
};

const struct nn_operator nn_op_unsqueeze = {
    .name = "Unsqueeze",
    .attributes = "axes:I",
    .min_inputs = 1,
    .max_inputs = 2,
    .data_inputs = 1,
    .is_view = true,
    .infer = infer_unsqueeze,
};

const struct nn_operator nn_op_identity = {
    .name = "Identity",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .is_view = true,
    .infer = nn_infer_same,
};

/* A training mode other than false is refused; ratio and seed mean nothing without it. */
static int infer_dropout(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_tensor *training;

	if (nn_node_input(node, 2) != NN_NO_VALUE) {
		int r = nn_infer_integers(in->graph, node, 2, &training, in->err);

		if (r < 0)
			return r;
		if (nn_shape_count(&training->shape) != 1 || training->i64[0] != 0)
			return nn_node_fail(node, in->err, "training mode is not supported");
	}
	return nn_infer_same(in, node);
}

const struct nn_operator nn_op_dropout = {
    .name = "Dropout",
    .attributes = "ratio:f seed:i",
    .min_inputs = 1,
    .max_inputs = 3,
    .data_inputs = 1,
    .is_view = true,
    .infer = infer_dropout,
};
