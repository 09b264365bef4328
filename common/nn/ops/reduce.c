/* ReduceMean, ReduceSum and ReduceL2. */
#include <math.h>
#include <string.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

struct reduce {
	const struct nn_operator *op;
	int rank;
	int64_t dim[NN_MAX_RANK];    /* of the input */
	int64_t stride[NN_MAX_RANK]; /* of the output, 0 along the axes that are reduced */
	int64_t count;               /* elements of the output */
	int64_t share;               /* elements of the input for each */
};

static void add_up(const struct reduce *r, const float *x, double *sums)
{
	int64_t index[NN_MAX_RANK] = {0};
	int last = r->rank - 1;
	int64_t at = 0;
	int axis;

	do {
		for (int64_t i = 0; i < r->dim[last]; i++) {
			double v = *x++;
			sums[at + i * r->stride[last]] += r->op == &nn_op_reduce_l2 ? v * v : v;
		}
		for (axis = last - 1; axis >= 0; axis--) {
			at += r->stride[axis];
			if (++index[axis] < r->dim[axis])
				break;
			at -= r->stride[axis] * r->dim[axis];
			index[axis] = 0;
		}
	} while (axis >= 0);
}

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct reduce *r = step->params;
	double *sums = (double *)(void *)scratch;

	memset(sums, 0, (size_t)r->count * sizeof(*sums));
	if (r->share > 0)
		add_up(r, in[0], sums);
	for (int64_t i = 0; i < r->count; i++) {
		double sum = sums[i];

		if (r->op == &nn_op_reduce_mean)
			sum /= (double)r->share;
		else if (r->op == &nn_op_reduce_l2)
			sum = sqrt(sum);
		out[i] = (float)sum;
	}
}

/* The axes: an attribute up to opset 12 (ReduceSum) or 17, an input since. None: all, unless the node says otherwise.
 */
static int read_axes(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		     bool reduced[NN_MAX_RANK], struct error *err)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, "axes");
	int since = node->op == &nn_op_reduce_sum ? 13 : 18;
	const struct nn_tensor *tensor = NULL;
	const int64_t *axes = attribute ? attribute->ints : NULL;
	int64_t count = attribute ? (int64_t)attribute->count : 0;

	if (node->opset < since ? nn_node_input(node, 1) != NN_NO_VALUE : attribute != NULL)
		return nn_node_fail(node, err, "axes are %s in opset %d",
				    node->opset < since ? "an attribute" : "an input", node->opset);
	if (nn_node_input(node, 1) != NN_NO_VALUE) {
		int r = nn_infer_integers(graph, node, 1, &tensor, err);

		if (r < 0)
			return r;
		axes = tensor->i64;
		count = nn_shape_count(&tensor->shape);
	}
	for (int i = 0; i < NN_MAX_RANK; i++)
		reduced[i] = count == 0 && nn_node_int(node, "noop_with_empty_axes", 0) == 0;
	for (int64_t i = 0; i < count; i++) {
		int64_t axis = axes[i];

		if (!nn_shape_axis(input, &axis))
			return nn_node_fail(node, err, "axis %lld of rank %d", (long long)axes[i], input->rank);
		reduced[axis] = true;
	}
	return 0;
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	bool keeps = nn_node_int(node, "keepdims", 1) != 0;
	struct nn_shape shape = {.rank = 0};
	bool reduced[NN_MAX_RANK];
	int r = read_axes(in->graph, node, input, reduced, in->err);

	if (r < 0)
		return r;
	for (int i = 0; i < input->rank; i++) {
		if (!reduced[i])
			shape.dim[shape.rank++] = input->dim[i];
		else if (keeps)
			shape.dim[shape.rank++] = 1;
	}
	return nn_infer_output(in, node, &shape);
}

/* Strides as if all axes were kept, which lays the output out alike. */
static void fill_strides(struct reduce *r, const struct nn_shape *input, const bool reduced[NN_MAX_RANK])
{
	int64_t stride = 1;

	r->rank = input->rank > 0 ? input->rank : 1;
	r->dim[0] = 1;
	r->share = 1;
	for (int i = input->rank - 1; i >= 0; i--) {
		r->dim[i] = input->dim[i];
		r->stride[i] = reduced[i] ? 0 : stride;
		if (reduced[i])
			r->share *= input->dim[i];
		else
			stride *= input->dim[i];
	}
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	bool reduced[NN_MAX_RANK];
	int r = read_axes(plan->graph, node, input, reduced, plan->err);

	if (r < 0)
		return r;
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct reduce));
	if (!step)
		return error_errno(plan->err);
	struct reduce *p = step->params;
	p->op = node->op;
	p->count = (int64_t)nn_plan_elements(plan, node);
	fill_strides(p, input, reduced);
	step->run = run;
	step->scratch = (size_t)p->count * sizeof(double);
	step->macs = (uint64_t)nn_shape_count(input);
	return 0;
}

#define OPERATOR(variable, title)                                                                                      \
	const struct nn_operator variable = {                                                                          \
	    .name = title,                                                                                             \
	    .attributes = "axes:I keepdims:i noop_with_empty_axes:i",                                                  \
	    .min_inputs = 1,                                                                                           \
	    .max_inputs = 2,                                                                                           \
	    .data_inputs = 1,                                                                                          \
	    .infer = infer,                                                                                            \
	    .compile = compile,                                                                                        \
	};

OPERATOR(nn_op_reduce_l2, "ReduceL2")
OPERATOR(nn_op_reduce_mean, "ReduceMean")
OPERATOR(nn_op_reduce_sum, "ReduceSum")
