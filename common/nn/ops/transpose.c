#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/* Output axes with the input's stride along each; axes that stay side by side are joined. */
struct transpose {
	int rank;
	int64_t dim[NN_MAX_RANK];
	int64_t stride[NN_MAX_RANK];
};

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct transpose *t = step->params;
	int64_t index[NN_MAX_RANK] = {0};
	int64_t inner = t->dim[t->rank - 1];
	int64_t stride = t->stride[t->rank - 1];
	const float *x = in[0];
	int axis;

	(void)scratch;
	do {
		for (int64_t i = 0; i < inner; i++)
			*out++ = x[i * stride];
		for (axis = t->rank - 2; axis >= 0; axis--) {
			x += t->stride[axis];
			if (++index[axis] < t->dim[axis])
				break;
			x -= t->stride[axis] * t->dim[axis];
			index[axis] = 0;
		}
	} while (axis >= 0);
}

/* The permutation, reversed axes by default. False if it is none. */
static bool read_permutation(const struct nn_node *node, int rank, int permutation[NN_MAX_RANK])
{
	const struct nn_attribute *perm = nn_node_attribute(node, "perm");
	unsigned seen = 0;

	if (perm && perm->count != (size_t)rank)
		return false;
	for (int i = 0; i < rank; i++) {
		int64_t axis = perm ? perm->ints[i] : rank - 1 - i;

		if (axis < 0 || axis >= rank)
			return false;
		permutation[i] = (int)axis;
		seen |= 1u << axis;
	}
	return seen == (1u << rank) - 1;
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	struct nn_shape shape = {.rank = input->rank};
	int permutation[NN_MAX_RANK];

	if (!read_permutation(node, input->rank, permutation))
		return nn_node_fail(node, in->err, "perm is no permutation of %d axes", input->rank);
	for (int i = 0; i < shape.rank; i++)
		shape.dim[i] = input->dim[permutation[i]];
	return nn_infer_output(in, node, &shape);
}

static void fill(struct transpose *t, const struct nn_shape *input, const int *permutation)
{
	for (int i = 0; i < input->rank; i++) {
		int axis = permutation[i];
		int64_t stride = nn_shape_span(input, axis + 1, input->rank);

		if (input->dim[axis] == 1)
			continue;
		if (t->rank > 0 && t->stride[t->rank - 1] == stride * input->dim[axis]) {
			t->dim[t->rank - 1] *= input->dim[axis];
			t->stride[t->rank - 1] = stride;
			continue;
		}
		t->dim[t->rank] = input->dim[axis];
		t->stride[t->rank++] = stride;
	}
	if (t->rank == 0)
		t->dim[t->rank++] = 1;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct transpose));
	int permutation[NN_MAX_RANK];

	if (!step)
		return error_errno(plan->err);
	if (!read_permutation(node, input->rank, permutation))
		return nn_node_fail(node, plan->err, "perm is no permutation");
	fill(step->params, input, permutation);
	step->run = run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

const struct nn_operator nn_op_transpose = {
    .name = "Transpose",
    .attributes = "perm:I",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .on_integers = true,
    .infer = infer,
    .compile = compile,
};
