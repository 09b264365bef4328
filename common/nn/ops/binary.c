/* Operators on two or more tensors with broadcasting. */
#include <math.h>

#include "nn/blocks.h"
#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/* out[i] = f(a[i · step_a], b[i · step_b]); steps are 0 or 1. `out` may be `a`. */
typedef void row_function(const float *a, int64_t step_a, const float *b, int64_t step_b, float *out, int64_t count);

#define LOOP(left, right, expression)                                                                                  \
	for (int64_t i = 0; i < count; i++) {                                                                          \
		float x = left, y = right;                                                                             \
		out[i] = expression;                                                                                   \
	}

#define ROW(name, expression)                                                                                          \
	static void name(const float *a, int64_t step_a, const float *b, int64_t step_b, float *out, int64_t count)    \
	{                                                                                                              \
		if (step_a && step_b)                                                                                  \
			LOOP(a[i], b[i], expression)                                                                   \
		else if (step_a)                                                                                       \
			LOOP(a[i], b[0], expression)                                                                   \
		else if (step_b)                                                                                       \
			LOOP(a[0], b[i], expression)                                                                   \
		else                                                                                                   \
			LOOP(a[0], b[0], expression)                                                                   \
	}

ROW(row_add, x + y)
ROW(row_div, x / y)
ROW(row_max, x > y ? x : y)
ROW(row_min, x < y ? x : y)
ROW(row_mul, x *y)
ROW(row_pow, powf(x, y))
ROW(row_prelu, x < 0 ? x * y : x)
ROW(row_sub, x - y)

static const struct function {
	const struct nn_operator *op;
	row_function *row;
} functions[] = {
    {&nn_op_add, row_add}, {&nn_op_div, row_div}, {&nn_op_max, row_max},     {&nn_op_min, row_min},
    {&nn_op_mul, row_mul}, {&nn_op_pow, row_pow}, {&nn_op_prelu, row_prelu}, {&nn_op_sub, row_sub},
};

/* The output's axes, those that both operands walk alike joined; strides are 0 where one is repeated. */
struct pair {
	int rank;
	int64_t dim[NN_MAX_RANK];
	int64_t stride_a[NN_MAX_RANK];
	int64_t stride_b[NN_MAX_RANK];
};

struct binary {
	row_function *row;
	unsigned pair_count;
	struct pair pairs[]; /* pair k joins what is there with operand k + 1 */
};

static int64_t stride_along(const struct nn_shape *shape, const struct nn_shape *out, int axis)
{
	int own = axis - (out->rank - shape->rank);

	return own < 0 || shape->dim[own] == 1 ? 0 : nn_shape_span(shape, own + 1, shape->rank);
}

static struct pair pair_of(const struct nn_shape *a, const struct nn_shape *b, const struct nn_shape *out)
{
	struct pair p = {.rank = 0};

	for (int axis = 0; axis < out->rank; axis++) {
		int64_t dim = out->dim[axis];
		int64_t stride_a = stride_along(a, out, axis);
		int64_t stride_b = stride_along(b, out, axis);
		int last = p.rank - 1;

		if (dim == 1)
			continue;
		if (p.rank > 0 && p.stride_a[last] == stride_a * dim && p.stride_b[last] == stride_b * dim) {
			p.dim[last] *= dim;
			p.stride_a[last] = stride_a;
			p.stride_b[last] = stride_b;
			continue;
		}
		p.dim[p.rank] = dim;
		p.stride_a[p.rank] = stride_a;
		p.stride_b[p.rank++] = stride_b;
	}
	if (p.rank == 0)
		p.dim[p.rank++] = 1;
	return p;
}

static void run_pair(row_function *row, const struct pair *p, const float *a, const float *b, float *out)
{
	int64_t index[NN_MAX_RANK] = {0};
	int64_t inner = p->dim[p->rank - 1];
	int64_t step_a = p->stride_a[p->rank - 1] ? 1 : 0;
	int64_t step_b = p->stride_b[p->rank - 1] ? 1 : 0;
	int axis;

	do {
		row(a, step_a, b, step_b, out, inner);
		out += inner;
		for (axis = p->rank - 2; axis >= 0; axis--) {
			a += p->stride_a[axis];
			b += p->stride_b[axis];
			if (++index[axis] < p->dim[axis])
				break;
			a -= p->stride_a[axis] * p->dim[axis];
			b -= p->stride_b[axis] * p->dim[axis];
			index[axis] = 0;
		}
	} while (axis >= 0);
}

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct binary *b = step->params;

	(void)scratch;
	run_pair(b->row, &b->pairs[0], in[0], in[step->input_count > 1 ? 1 : 0], out);
	for (unsigned k = 1; k < b->pair_count; k++)
		run_pair(b->row, &b->pairs[k], out, in[k + 1], out);
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);

	for (unsigned i = 1; i < node->input_count; i++) {
		if (!nn_shape_broadcast(&shape, nn_infer_input(in, node, i), &shape)) {
			char a[NN_SHAPE_TEXT];
			char b[NN_SHAPE_TEXT];

			return nn_node_fail(node, in->err, "%s and %s do not fit",
					    nn_shape_format(&shape, a, sizeof(a)),
					    nn_shape_format(nn_infer_input(in, node, i), b, sizeof(b)));
		}
	}
	if (node->op == &nn_op_prelu && !nn_shape_equal(&shape, nn_infer_input(in, node, 0)))
		return nn_node_fail(node, in->err, "the slope is larger than the input");
	return nn_infer_output(in, node, &shape);
}

/* Element by element over blocks, where one operand lies so and all have one shape. */
static bool runs_over_blocks(const struct nn_plan *plan, const struct nn_node *node)
{
	bool has_blocks = false;

	for (unsigned i = 0; i < node->input_count; i++) {
		if (!nn_shape_equal(nn_plan_input(plan, node, i), nn_plan_output(plan, node)))
			return false;
		has_blocks = has_blocks || nn_plan_has(plan, node->inputs[i], NN_BLOCKS);
	}
	return has_blocks;
}

static int need_operands(struct nn_plan *plan, const struct nn_node *node, bool blocks)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < node->input_count; i++)
		r = nn_plan_need(plan, node, node->inputs[i], blocks);
	return r;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	bool blocks = runs_over_blocks(plan, node);
	const struct nn_shape *out =
	    blocks ? &plan->shapes[nn_plan_in_blocks(plan, node->outputs[0])] : nn_plan_output(plan, node);
	const struct nn_shape *first = blocks ? out : nn_plan_input(plan, node, 0);
	unsigned pairs = node->input_count > 1 ? node->input_count - 1 : 1;
	int r = need_operands(plan, node, blocks);

	if (r < 0)
		return r;
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct binary) + pairs * sizeof(struct pair));
	const struct function *f = functions;
	if (!step)
		return error_errno(plan->err);
	while (f->op != node->op)
		f++;
	struct binary *b = step->params;
	b->row = f->row;
	b->pair_count = pairs;
	for (unsigned k = 0; k < pairs; k++) {
		const struct nn_shape *other = node->input_count > 1 ? nn_plan_input(plan, node, k + 1) : first;
		b->pairs[k] = pair_of(k == 0 ? first : out, blocks ? out : other, out);
	}
	for (unsigned i = 0; i < step->input_count; i++)
		nn_plan_lay_out(plan, step, i, blocks);
	nn_plan_lay_out_result(plan, step, blocks);
	step->run = run;
	step->macs = nn_plan_elements(plan, node) * pairs;
	return 0;
}

#define OPERATOR(variable, title, least, most)                                                                         \
	const struct nn_operator variable = {                                                                          \
	    .name = title,                                                                                             \
	    .on_integers = true,                                                                                       \
	    .min_inputs = least,                                                                                       \
	    .max_inputs = most,                                                                                        \
	    .data_inputs = most,                                                                                       \
	    .takes_blocks = true,                                                                                      \
	    .infer = infer,                                                                                            \
	    .compile = compile,                                                                                        \
	};

OPERATOR(nn_op_add, "Add", 2, 2)
OPERATOR(nn_op_div, "Div", 2, 2)
OPERATOR(nn_op_max, "Max", 1, NN_MAX_OPERANDS)
OPERATOR(nn_op_min, "Min", 1, NN_MAX_OPERANDS)
OPERATOR(nn_op_mul, "Mul", 2, 2)
OPERATOR(nn_op_pow, "Pow", 2, 2)
OPERATOR(nn_op_prelu, "PRelu", 2, 2)
OPERATOR(nn_op_sub, "Sub", 2, 2)
