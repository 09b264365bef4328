/* Gemm and MatMul: products of activations with weights or with each other. */
#include <cblas.h>
#include <stdint.h>
#include <string.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

/*
 * out[m][n] = alpha · Σ_k a[m][k] · b[k][n] + beta · c, by OpenBLAS: unlike the weights of a
 * convolution neither side is packed beforehand, and b may change from run to run.
 */
struct product {
	int64_t m;
	int64_t n;
	int64_t k;
	bool a_transposed;
	bool b_transposed;
	float alpha;
	float beta;
	int64_t c_row; /* strides of c; 0 where it is repeated */
	int64_t c_column;
	bool has_c;
	int64_t batches; /* of MatMul: products one after the other; b may be one for all */
	int64_t b_batch;
};

/* Writes beta · c, spread over all rows and columns, where the product is then added. */
static void spread(const struct product *p, const float *c, float *out)
{
	for (int64_t m = 0; m < p->m; m++, out += p->n)
		for (int64_t n = 0; n < p->n; n++)
			out[n] = p->beta * c[m * p->c_row + n * p->c_column];
}

/* What OpenBLAS takes for the distance between two rows: never 0, also of a matrix without columns. */
static blasint pitch(int64_t columns)
{
	return columns > 0 ? (blasint)columns : 1;
}

static void multiply(const struct product *p, const float *a, const float *b, const float *c, float *out)
{
	if (p->has_c)
		spread(p, c, out);
	cblas_sgemm(CblasRowMajor, p->a_transposed ? CblasTrans : CblasNoTrans,
		    p->b_transposed ? CblasTrans : CblasNoTrans, (blasint)p->m, (blasint)p->n, (blasint)p->k, p->alpha,
		    a, pitch(p->a_transposed ? p->m : p->k), b, pitch(p->b_transposed ? p->k : p->n), p->has_c ? 1 : 0,
		    out, pitch(p->n));
}

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct product *p = step->params;

	(void)scratch;
	for (int64_t i = 0; i < p->batches; i++)
		multiply(p, in[0] + i * p->m * p->k, in[1] + i * p->b_batch, p->has_c ? in[2] : NULL,
			 out + i * p->m * p->n);
}

static int add_step(struct nn_plan *plan, const struct nn_node *node, const struct product *product)
{
	struct nn_step *step = nn_plan_add(plan, node, sizeof(*product));

	if (!step)
		return error_errno(plan->err);
	if (product->m > INT32_MAX || product->n > INT32_MAX || product->k > INT32_MAX)
		return nn_node_fail(node, plan->err, "a side of the product is longer than OpenBLAS can count");
	*(struct product *)step->params = *product;
	step->run = run;
	step->macs = nn_plan_elements(plan, node) * (uint64_t)product->k;
	return 0;
}

static int misfit(const struct nn_node *node, struct error *err, const struct nn_shape *a, const struct nn_shape *b)
{
	char left[NN_SHAPE_TEXT];
	char right[NN_SHAPE_TEXT];

	return nn_node_fail(node, err, "%s and %s do not fit", nn_shape_format(a, left, sizeof(left)),
			    nn_shape_format(b, right, sizeof(right)));
}

/* m, n, k and the transpositions of a Gemm. */
static int read_gemm(struct product *p, const struct nn_node *node, const struct nn_shape *a, const struct nn_shape *b,
		     struct error *err)
{
	*p = (struct product){
	    .a_transposed = nn_node_int(node, "transA", 0) != 0,
	    .b_transposed = nn_node_int(node, "transB", 0) != 0,
	    .alpha = nn_node_float(node, "alpha", 1),
	    .beta = nn_node_float(node, "beta", 1),
	    .batches = 1,
	};
	if (a->rank != 2 || b->rank != 2 || a->dim[!p->a_transposed] != b->dim[p->b_transposed])
		return misfit(node, err, a, b);
	p->m = a->dim[p->a_transposed];
	p->k = a->dim[!p->a_transposed];
	p->n = b->dim[!p->b_transposed];
	return 0;
}

static int infer_gemm(struct nn_infer *in, const struct nn_node *node)
{
	struct product p = {0};
	int r = read_gemm(&p, node, nn_infer_input(in, node, 0), nn_infer_input(in, node, 1), in->err);

	if (r < 0)
		return r;
	struct nn_shape shape = {.rank = 2, .dim = {p.m, p.n}};
	struct nn_shape both;
	if (node->input_count > 2 &&
	    (!nn_shape_broadcast(&shape, nn_infer_input(in, node, 2), &both) || !nn_shape_equal(&shape, &both)))
		return misfit(node, in->err, &shape, nn_infer_input(in, node, 2));
	return nn_infer_output(in, node, &shape);
}

static int compile_gemm(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *c = nn_plan_input(plan, node, 2);
	struct product p = {0};
	int r = read_gemm(&p, node, nn_plan_input(plan, node, 0), nn_plan_input(plan, node, 1), plan->err);

	if (r < 0)
		return r;
	if (c) {
		int64_t columns = c->rank > 0 ? c->dim[c->rank - 1] : 1;

		p.has_c = true;
		p.c_column = columns > 1;
		p.c_row = c->rank == 2 && c->dim[0] > 1 ? columns : 0;
	}
	return add_step(plan, node, &p);
}

/* MatMul of [.., m, k] and [.., k, n]: b has the same leading axes as a, or none. */
static int read_matmul(struct product *p, const struct nn_node *node, const struct nn_shape *a,
		       const struct nn_shape *b, struct error *err)
{
	if (a->rank < 2 || b->rank < 2 || a->dim[a->rank - 1] != b->dim[b->rank - 2])
		return misfit(node, err, a, b);
	if (b->rank > 2) {
		struct nn_shape leading_a = {.rank = a->rank - 2};
		struct nn_shape leading_b = {.rank = b->rank - 2};

		memcpy(leading_a.dim, a->dim, sizeof(leading_a.dim));
		memcpy(leading_b.dim, b->dim, sizeof(leading_b.dim));
		if (!nn_shape_equal(&leading_a, &leading_b))
			return misfit(node, err, a, b);
	}
	*p = (struct product){
	    .m = a->dim[a->rank - 2],
	    .n = b->dim[b->rank - 1],
	    .k = a->dim[a->rank - 1],
	    .alpha = 1,
	    .batches = nn_shape_span(a, 0, a->rank - 2),
	};
	p->b_batch = b->rank > 2 ? p->k * p->n : 0;
	return 0;
}

static int infer_matmul(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);
	struct product p = {0};
	int r = read_matmul(&p, node, &shape, nn_infer_input(in, node, 1), in->err);

	if (r < 0)
		return r;
	shape.dim[shape.rank - 1] = p.n;
	return nn_infer_output(in, node, &shape);
}

static int compile_matmul(struct nn_plan *plan, const struct nn_node *node)
{
	struct product p = {0};
	int r = read_matmul(&p, node, nn_plan_input(plan, node, 0), nn_plan_input(plan, node, 1), plan->err);

	if (r < 0)
		return r;
	return add_step(plan, node, &p);
}

const struct nn_operator nn_op_gemm = {
    .name = "Gemm",
    .attributes = "alpha:f beta:f transA:i transB:i",
    .min_inputs = 2,
    .max_inputs = 3,
    .data_inputs = 3,
    .infer = infer_gemm,
    .compile = compile_gemm,
};

const struct nn_operator nn_op_matmul = {
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .data_inputs = 2,
    .infer = infer_matmul,
    .compile = compile_matmul,
};
