#include <math.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/* out[i] = f(x[i]); what a and b are depends on the operator. */
typedef void row_function(const float *x, float *out, int64_t count, float a, float b);

#define ROW(name, expression)                                                                                          \
	static void name(const float *x, float *out, int64_t count, float a, float b)                                  \
	{                                                                                                              \
		(void)a;                                                                                               \
		(void)b;                                                                                               \
		for (int64_t i = 0; i < count; i++)                                                                    \
			out[i] = expression;                                                                           \
	}

ROW(row_abs, fabsf(x[i]))
ROW(row_elu, x[i] < 0 ? a * expm1f(x[i]) : x[i])
ROW(row_exp, expf(x[i]))
ROW(row_hard_sigmoid, fmaxf(0, fminf(1, a *x[i] + b)))
ROW(row_hard_swish, x[i] * fmaxf(0, fminf(1, x[i] / 6 + 0.5f)))
ROW(row_neg, -x[i])
ROW(row_sigmoid, 1 / (1 + expf(-x[i])))
ROW(row_sqrt, sqrtf(x[i]))
ROW(row_tanh, tanhf(x[i]))

/* By the operators' rows below, each with the defaults of its attributes alpha and beta. */
static const struct function {
	const struct nn_operator *op;
	row_function *row;
	float alpha;
	float beta;
} functions[] = {
    {&nn_op_abs, row_abs, 0, 0},
    {&nn_op_elu, row_elu, 1, 0},
    {&nn_op_exp, row_exp, 0, 0},
    {&nn_op_hard_sigmoid, row_hard_sigmoid, 0.2f, 0.5f},
    {&nn_op_hard_swish, row_hard_swish, 0, 0},
    {&nn_op_neg, row_neg, 0, 0},
    {&nn_op_sigmoid, row_sigmoid, 0, 0},
    {&nn_op_sqrt, row_sqrt, 0, 0},
    {&nn_op_tanh, row_tanh, 0, 0},
};

struct unary {
	row_function *row;
	float alpha;
	float beta;
	int64_t count;
};

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct unary *u = step->params;

	(void)scratch;
	u->row(in[0], out, u->count, u->alpha, u->beta);
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct unary));
	const struct function *f = functions;

	if (!step)
		return error_errno(plan->err);
	while (f->op != node->op)
		f++;
	*(struct unary *)step->params = (struct unary){
	    .row = f->row,
	    .alpha = nn_node_float(node, "alpha", f->alpha),
	    .beta = nn_node_float(node, "beta", f->beta),
	    .count = nn_shape_count(nn_plan_output(plan, node)),
	};
	step->run = run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

#define OPERATOR(variable, title, known)                                                                               \
	const struct nn_operator variable = {                                                                          \
	    .name = title,                                                                                             \
	    .attributes = known,                                                                                       \
	    .min_inputs = 1,                                                                                           \
	    .max_inputs = 1,                                                                                           \
	    .data_inputs = 1,                                                                                          \
	    .infer = nn_infer_same,                                                                                    \
	    .compile = compile,                                                                                        \
	};

OPERATOR(nn_op_abs, "Abs", NULL)
OPERATOR(nn_op_elu, "Elu", "alpha:f")
OPERATOR(nn_op_exp, "Exp", NULL)
OPERATOR(nn_op_hard_sigmoid, "HardSigmoid", "alpha:f beta:f")
OPERATOR(nn_op_hard_swish, "HardSwish", NULL)
OPERATOR(nn_op_neg, "Neg", NULL)
OPERATOR(nn_op_sigmoid, "Sigmoid", NULL)
OPERATOR(nn_op_sqrt, "Sqrt", NULL)
OPERATOR(nn_op_tanh, "Tanh", NULL)
