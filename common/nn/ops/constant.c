/* What is known before anything runs: shapes, and constants made of them. */
#include <errno.h>
#include <math.h>

#include "nn/evaluate.h"
#include "nn/infer.h"
#include "nn/ops/ops.h"

/* Types of the ONNX TensorProto that a Cast can lead to. */
enum { TO_FLOAT = 1, TO_INT32 = 6, TO_INT64 = 7 };

static int refuse(struct nn_infer *in, const struct nn_node *node)
{
	return nn_node_fail(node, in->err, "its input must follow from shapes and constants");
}

static int64_t from_front(int64_t position, int64_t rank)
{
	position += position < 0 ? rank : 0;
	return position < 0 ? 0 : position > rank ? rank : position;
}

static int fold_shape(struct nn_tensor **out, const struct nn_graph *graph, const struct nn_node *node,
		      const struct nn_shape *shapes, struct error *err)
{
	const struct nn_shape *shape = &shapes[node->inputs[0]];
	int64_t start = from_front(nn_node_int(node, "start", 0), shape->rank);
	int64_t end = from_front(nn_node_int(node, "end", shape->rank), shape->rank);
	struct nn_shape list = {.rank = 1, .dim = {end > start ? end - start : 0}};

	(void)graph;
	*out = nn_tensor_new(NN_INT64, &list);
	for (int64_t i = 0; *out && i < list.dim[0]; i++)
		(*out)->i64[i] = shape->dim[start + i];
	return *out ? 0 : nn_out_of_memory(err);
}

const struct nn_operator nn_op_shape = {
    .name = "Shape",
    .attributes = "start:i end:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = refuse, /* never: it is folded */
    .fold = fold_shape,
};

static int read_shape(const struct nn_tensor *sizes, const struct nn_node *node, struct nn_shape *shape,
		      struct error *err)
{
	if (sizes->type != NN_INT64 || sizes->shape.rank > 1 || nn_shape_count(&sizes->shape) > NN_MAX_RANK)
		return nn_node_fail(node, err, "input 0 must be a list of at most %d integers", NN_MAX_RANK);
	shape->rank = (int)nn_shape_count(&sizes->shape);
	for (int i = 0; i < shape->rank; i++)
		shape->dim[i] = sizes->i64[i];
	if (!nn_shape_valid(shape) || nn_shape_count(shape) > NN_MAX_FOLDED)
		return nn_node_fail(node, err, "its output would have an impossible shape");
	return 0;
}

static int fold_constant_of_shape(struct nn_tensor **out, const struct nn_graph *graph, const struct nn_node *node,
				  const struct nn_shape *shapes, struct error *err)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, "value");
	const struct nn_tensor *value = attribute ? attribute->tensor : NULL;
	struct nn_shape shape = {0};
	int r = read_shape(nn_node_constant(graph, node, 0), node, &shape, err);

	(void)shapes;
	if (r == 0 && value && nn_shape_count(&value->shape) != 1)
		r = nn_node_fail(node, err, "value must be one number");
	if (r < 0)
		return r;
	*out = nn_tensor_new(value ? value->type : NN_FLOAT32, &shape);
	if (!*out)
		return nn_out_of_memory(err);
	for (int64_t i = 0; value && i < nn_shape_count(&shape); i++) {
		if (value->type == NN_INT64)
			(*out)->i64[i] = value->i64[0];
		else
			(*out)->f32[i] = value->f32[0];
	}
	return 0;
}

const struct nn_operator nn_op_constant_of_shape = {
    .name = "ConstantOfShape",
    .attributes = "value:t",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = refuse,
    .fold = fold_constant_of_shape,
};

static int check_cast(const struct nn_node *node, struct error *err)
{
	int64_t to = nn_node_int(node, "to", 0);

	if (to != TO_FLOAT && to != TO_INT32 && to != TO_INT64)
		return nn_node_fail(node, err, "to is type %lld, only float, int32 and int64 are supported",
				    (long long)to);
	return 0;
}

/* Constants only; what is known when running is float32 already. */
static int fold_cast(struct nn_tensor **out, const struct nn_graph *graph, const struct nn_node *node,
		     const struct nn_shape *shapes, struct error *err)
{
	const struct nn_tensor *from = nn_node_constant(graph, node, 0);
	enum nn_type type = nn_node_int(node, "to", 0) == TO_FLOAT ? NN_FLOAT32 : NN_INT64;
	struct nn_tensor *to = nn_tensor_new(type, &from->shape);
	int r = to ? 0 : nn_out_of_memory(err);

	(void)shapes;
	for (int64_t i = 0; r == 0 && i < nn_shape_count(&from->shape); i++) {
		if (type == NN_FLOAT32)
			to->f32[i] = from->type == NN_FLOAT32 ? from->f32[i] : (float)from->i64[i];
		else if (from->type == NN_INT64)
			to->i64[i] = from->i64[i];
		else if (fabsf(from->f32[i]) <= NN_MAX_INTEGER)
			to->i64[i] = (int64_t)from->f32[i];
		else
			r = nn_node_fail(node, err, "%g is no integer up to %d", (double)from->f32[i], NN_MAX_INTEGER);
	}
	if (r < 0)
		nn_tensor_free(to);
	else
		*out = to;
	return r;
}

static int infer_cast(struct nn_infer *in, const struct nn_node *node)
{
	return nn_node_int(node, "to", 0) == TO_FLOAT ? nn_infer_same(in, node) : refuse(in, node);
}

const struct nn_operator nn_op_cast = {
    .name = "Cast",
    .attributes = "to:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .is_view = true,
    .check = check_cast,
    .infer = infer_cast,
    .fold = fold_cast,
};
