#include <math.h>

#include "nn/blocks.h"
#include "nn/ops/ops.h"
#include "nn/ops/window.h"
#include "nn/plan.h"

struct pool {
	const struct nn_kernels *kernels;
	struct nn_window window;
	struct nn_staging staging;
	int64_t planes; /* images × channels */
	float *share;   /* 1 / pixels that each output averages; NULL for the maximum */
};

static void run_pool(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct pool *p = step->params;
	int64_t plane = p->window.input[0] * p->window.input[1];
	int64_t area = p->staging.height * p->staging.width;
	struct nn_slide slide = {
	    .height = p->staging.height,
	    .width = p->staging.width,
	    .staged = scratch,
	    .pitch = p->staging.pitch,
	    .offsets = p->staging.offsets,
	    .taps = p->staging.taps,
	};

	nn_staging_frame(&p->staging, 1, scratch);
	for (int64_t i = 0; i < p->planes; i++) {
		slide.out = out + i * area;
		nn_staging_copy(p->kernels, &p->staging, 1, 0, in[0] + i * plane, scratch);
		if (!p->share) {
			p->kernels->slide_max(&slide);
			continue;
		}
		p->kernels->slide_sum(&slide);
		for (int64_t k = 0; k < area; k++)
			slide.out[k] *= p->share[k];
	}
}

/* Taps of one axis, at one output position, that lie in the input, or in the padding the node asks for too. */
static int64_t taps_inside(const struct nn_window *w, int axis, int64_t position, bool with_padding)
{
	int64_t first = position * w->stride[axis] - w->before[axis];
	int64_t low = with_padding ? -w->before[axis] : 0;
	int64_t high = w->input[axis] + (with_padding ? w->after[axis] : 0);
	int64_t step = w->dilation[axis];
	/* The first tap that is not before `low`, and the first that is not before `high`. */
	int64_t begin = first < low ? (low - first + step - 1) / step : 0;
	int64_t end = first < high ? (high - first + step - 1) / step : 0;

	end = end < w->kernel[axis] ? end : w->kernel[axis];
	return end > begin ? end - begin : 0;
}

static void fill_shares(struct pool *p, bool with_padding)
{
	float *share = p->share;

	for (int64_t y = 0; y < p->window.output[0]; y++) {
		int64_t rows = taps_inside(&p->window, 0, y, with_padding);

		for (int64_t x = 0; x < p->window.output[1]; x++) {
			int64_t count = rows * taps_inside(&p->window, 1, x, with_padding);
			*share++ = count > 0 ? 1 / (float)count : 0;
		}
	}
}

static int check(const struct nn_node *node, struct error *err)
{
	if (nn_node_int(node, "storage_order", 0) != 0)
		return nn_node_fail(node, err, "storage_order is not supported");
	return nn_window_check(node, err);
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	struct nn_window window;
	int r = nn_window_read(&window, node, input, NULL, in->err);

	if (r < 0)
		return r;
	struct nn_shape shape = {
	    .rank = 4,
	    .dim = {input->dim[0], input->dim[1], window.output[0], window.output[1]},
	};
	return nn_infer_output(in, node, &shape);
}

struct block_pool {
	const struct nn_kernels *kernels;
	struct nn_block_window pool;
	int64_t blocks; /* of all images */
};

static void run_blocks(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct block_pool *b = step->params;
	struct nn_block_window pool = b->pool;
	int64_t in_size = pool.input[0] * pool.input[1] * b->kernels->lanes;
	int64_t out_size = pool.output[0] * pool.output[1] * b->kernels->lanes;

	(void)scratch;
	for (int64_t i = 0; i < b->blocks; i++) {
		pool.x = in[0] + i * in_size;
		pool.out = out + i * out_size;
		b->kernels->max_block(&pool);
	}
}

/* A maximum whose operand is there in blocks. */
static int compile_blocks(struct nn_plan *plan, const struct nn_node *node, const struct nn_window *w)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct block_pool));

	if (!step)
		return error_errno(plan->err);
	struct block_pool *b = step->params;
	b->kernels = plan->kernels;
	b->blocks = nn_blocks_count(input, plan->kernels->lanes);
	b->pool = nn_window_on_block(w);
	nn_plan_lay_out(plan, step, 0, NN_BLOCKS);
	nn_plan_lay_out_result(plan, step, NN_BLOCKS);
	step->run = run_blocks;
	step->macs = nn_plan_elements(plan, node) * (uint64_t)(w->kernel[0] * w->kernel[1]);
	return 0;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	bool is_average = node->op == &nn_op_average_pool;
	struct nn_window window;
	int r = nn_window_read(&window, node, input, NULL, plan->err);

	if (r == 0 && !is_average && nn_plan_has(plan, node->inputs[0], NN_BLOCKS))
		return compile_blocks(plan, node, &window);
	if (r == 0)
		r = nn_plan_need(plan, node, node->inputs[0], NN_PLANES);
	if (r < 0)
		return r;
	struct nn_staging staging = nn_staging_of(&window);
	size_t tables = nn_staging_tables_size(&staging);
	size_t area = (size_t)(window.output[0] * window.output[1]);
	struct nn_step *step =
	    nn_plan_add(plan, node, sizeof(struct pool) + tables + (is_average ? area * sizeof(float) : 0));
	if (!step)
		return error_errno(plan->err);
	struct pool *p = step->params;
	p->kernels = plan->kernels;
	p->window = window;
	p->staging = staging;
	p->staging.fill = is_average ? 0 : -INFINITY;
	p->planes = input->dim[0] * input->dim[1];
	nn_staging_tables(&p->staging, &window, p + 1);
	if (is_average) {
		p->share = (float *)((char *)(p + 1) + tables);
		fill_shares(p, nn_node_int(node, "count_include_pad", 0) != 0);
	}
	step->run = run_pool;
	step->scratch = (size_t)nn_staging_channel(&p->staging) * sizeof(float);
	step->macs = nn_plan_elements(plan, node) * (uint64_t)staging.taps;
	return 0;
}

struct global {
	bool is_max;
	int64_t planes;
	int64_t area;
};

static void run_global(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct global *g = step->params;

	(void)scratch;
	for (int64_t i = 0; i < g->planes; i++) {
		const float *x = in[0] + i * g->area;
		double sum = 0;
		float highest = -INFINITY;

		for (int64_t k = 0; k < g->area; k++) {
			sum += x[k];
			highest = x[k] > highest ? x[k] : highest;
		}
		out[i] = g->is_max ? highest : (float)(sum / (double)g->area);
	}
}

static int infer_global(struct nn_infer *in, const struct nn_node *node)
{
	struct nn_shape shape = *nn_infer_input(in, node, 0);

	if (shape.rank < 3 || nn_shape_span(&shape, 2, shape.rank) < 1)
		return nn_node_fail(node, in->err, "input needs rank 3 or more and pixels");
	for (int i = 2; i < shape.rank; i++)
		shape.dim[i] = 1;
	return nn_infer_output(in, node, &shape);
}

static int compile_global(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct global));

	if (!step)
		return error_errno(plan->err);
	*(struct global *)step->params = (struct global){
	    .is_max = node->op == &nn_op_global_max_pool,
	    .planes = input->dim[0] * input->dim[1],
	    .area = nn_shape_span(input, 2, input->rank),
	};
	step->run = run_global;
	step->macs = (uint64_t)nn_shape_count(input);
	return 0;
}

const struct nn_operator nn_op_max_pool = {
    .name = "MaxPool",
    .attributes = NN_WINDOW_ATTRIBUTES " ceil_mode:i storage_order:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .takes_blocks = true,
    .check = check,
    .infer = infer,
    .compile = compile,
};

const struct nn_operator nn_op_average_pool = {
    .name = "AveragePool",
    .attributes = NN_WINDOW_ATTRIBUTES " ceil_mode:i count_include_pad:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .takes_blocks = true,
    .check = check,
    .infer = infer,
    .compile = compile,
};

const struct nn_operator nn_op_global_max_pool = {
    .name = "GlobalMaxPool",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .infer = infer_global,
    .compile = compile_global,
};

const struct nn_operator nn_op_global_average_pool = {
    .name = "GlobalAveragePool",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .infer = infer_global,
    .compile = compile_global,
};
