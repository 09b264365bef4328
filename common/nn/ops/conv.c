/*
 * Convolution as a matrix product: the weights, one row for each output channel, times the input
 * rearranged so that each column holds what one output pixel sees. The rearranged input is never
 * stored as a whole: strips of a few columns are gathered into the cache and multiplied at once.
 * Depthwise convolutions slide their window instead.
 */
#include <limits.h>
#include <string.h>

#include "nn/ops/activation.h"
#include "nn/ops/ops.h"
#include "nn/ops/window.h"
#include "nn/plan.h"

/* Columns of the widest strip of any kernels. */
#define MAX_STRIP 64

struct conv {
	const struct nn_kernels *kernels;
	struct nn_window window;
	struct nn_staging staging;
	struct nn_epilogue epilogue;
	const float *weights; /* packed; as in the file for depthwise */
	int64_t images;
	int64_t groups;
	int64_t channels; /* input channels of a group */
	int64_t rows;     /* output channels of a group */
	int64_t depth;    /* channels × taps */
	bool in_place;    /* few rows of a 1×1 window: what is read so few times need not be gathered */
	bool has_residual;
	unsigned residual; /* its place among the operands */
};

static bool is_depthwise(const struct nn_tensor *weights)
{
	return weights->shape.dim[1] == 1;
}

/* Cuts columns first … first + columns of the output into the rows they belong to. */
static int find_segments(const struct nn_staging *s, int64_t lanes, int64_t first, int64_t columns,
			 struct nn_segment *segments)
{
	int64_t row = first / s->width;
	int64_t column = first % s->width;
	int count = 0;

	for (int64_t done = 0; done < columns; row++, column = 0) {
		int64_t length = s->width - column < columns - done ? s->width - column : columns - done;

		segments[count++] = (struct nn_segment){
		    .target = (int32_t)done,
		    .vectors = (int32_t)((length + lanes - 1) / lanes),
		    .source = row * s->pitch + column,
		};
		done += length;
	}
	return count;
}

static void run_group(const struct conv *c, int64_t group, const float *staged, float *tile, float *out,
		      const float *residual)
{
	int64_t lanes = c->kernels->lanes;
	int64_t area = c->staging.height * c->staging.width;
	struct nn_epilogue epilogue = c->epilogue;
	struct nn_segment segments[MAX_STRIP + 1];
	struct nn_pack pack = {
	    .segments = segments,
	    .staged = staged,
	    .channels = c->channels,
	    .plane = nn_staging_channel(&c->staging),
	    .offsets = c->staging.offsets,
	    .taps = c->staging.taps,
	    .tile = tile,
	};
	struct nn_gemm gemm = {
	    .rows = c->rows,
	    .depth = c->depth,
	    .weights = c->weights + group * c->rows * c->depth,
	    .tile = tile,
	    .pitch = area,
	    .epilogue = &epilogue,
	};

	epilogue.bias = epilogue.bias ? epilogue.bias + group * c->rows : NULL;
	epilogue.slope = epilogue.slope ? epilogue.slope + group * c->rows : NULL;
	for (int64_t first = 0; first < area; first += gemm.columns) {
		int64_t left = area - first;

		gemm.vectors = left <= lanes ? 1 : 2;
		gemm.columns = left < gemm.vectors * lanes ? left : gemm.vectors * lanes;
		if (c->in_place) {
			gemm.tile = staged + first;
			gemm.tile_pitch = area;
		} else {
			gemm.tile_pitch = pack.tile_width = gemm.vectors * lanes;
			pack.segment_count = find_segments(&c->staging, lanes, first, gemm.columns, segments);
			c->kernels->pack(&pack);
		}
		gemm.out = out + first;
		gemm.residual = residual ? residual + first : NULL;
		c->kernels->gemm(&gemm);
	}
}

static void run_dense(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct conv *c = step->params;
	const float *residual = c->has_residual ? in[c->residual] : NULL;
	int64_t plane = c->window.input[0] * c->window.input[1];
	int64_t group_out = c->rows * c->staging.height * c->staging.width;
	int64_t staged_channel = nn_staging_channel(&c->staging);
	float *tile = scratch;
	float *planes = scratch + (c->depth + 1) * 2 * c->kernels->lanes;

	for (int64_t k = 0; k < c->channels && !c->staging.is_direct; k++)
		nn_staging_frame(&c->staging, 0, planes + k * staged_channel);
	for (int64_t i = 0; i < c->images * c->groups; i++) {
		const float *x = in[0] + i * c->channels * plane;

		for (int64_t k = 0; k < c->channels && !c->staging.is_direct; k++)
			nn_staging_copy(c->kernels, &c->staging, x + k * plane, planes + k * staged_channel);
		run_group(c, i % c->groups, c->staging.is_direct ? x : planes, tile, out + i * group_out,
			  residual ? residual + i * group_out : NULL);
	}
}

static void run_depthwise(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct conv *c = step->params;
	const float *residual = c->has_residual ? in[c->residual] : NULL;
	int64_t plane = c->window.input[0] * c->window.input[1];
	int64_t area = c->staging.height * c->staging.width;
	struct nn_slide slide = {
	    .height = c->staging.height,
	    .width = c->staging.width,
	    .pitch = c->staging.pitch,
	    .offsets = c->staging.offsets,
	    .taps = c->staging.taps,
	    .is_whole = c->staging.is_direct && area == 1,
	};

	if (!c->staging.is_direct)
		nn_staging_frame(&c->staging, 0, scratch);
	for (int64_t i = 0; i < c->images * c->groups; i++) {
		const float *x = in[0] + i * plane;

		if (!c->staging.is_direct)
			nn_staging_copy(c->kernels, &c->staging, x, scratch);
		slide.staged = c->staging.is_direct ? x : scratch;
		for (int64_t r = 0; r < c->rows; r++) {
			int64_t channel = i % c->groups * c->rows + r;
			int64_t at = (i * c->rows + r) * area;

			slide.out = out + at;
			c->kernels->depthwise(&slide, c->weights + channel * c->staging.taps, &c->epilogue, channel,
					      residual ? residual + at : NULL);
		}
	}
}

static int check(const struct nn_node *node, struct error *err)
{
	int64_t group = nn_node_int(node, "group", 1);

	if (group < 1 || group > INT_MAX)
		return nn_node_fail(node, err, "group is %lld", (long long)group);
	return nn_window_check(node, err);
}

static int check_weights(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
			 struct error *err)
{
	const struct nn_tensor *weights = nn_node_constant(graph, node, 1);
	const struct nn_tensor *bias = nn_node_constant(graph, node, 2);
	int64_t group = nn_node_int(node, "group", 1);

	if (!weights || weights->type != NN_FLOAT32 || weights->shape.rank != 4)
		return nn_node_fail(node, err, "weights must be a constant float32 tensor of rank 4");
	if (nn_node_input(node, 2) != NN_NO_VALUE &&
	    (!bias || bias->type != NN_FLOAT32 || nn_shape_count(&bias->shape) != weights->shape.dim[0]))
		return nn_node_fail(node, err, "bias must be constant, one float32 for each output channel");
	if (input->rank != 4 || input->dim[1] != weights->shape.dim[1] * group || weights->shape.dim[0] < 1 ||
	    weights->shape.dim[1] < 1 || weights->shape.dim[0] % group != 0)
		return nn_node_fail(node, err, "weights and group do not fit the input's channels");
	return 0;
}

static int read_window(struct nn_window *window, const struct nn_graph *graph, const struct nn_node *node,
		       const struct nn_shape *input, struct error *err)
{
	int r = check_weights(graph, node, input, err);

	return r < 0 ? r : nn_window_read(window, node, input, nn_node_constant(graph, node, 1)->shape.dim + 2, err);
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	struct nn_window window;
	int r = read_window(&window, in->graph, node, input, in->err);

	if (r < 0)
		return r;
	struct nn_shape shape = {
	    .rank = 4,
	    .dim = {input->dim[0], nn_node_constant(in->graph, node, 1)->shape.dim[0], window.output[0],
		    window.output[1]},
	};
	return nn_infer_output(in, node, &shape);
}

static int prepare(const struct nn_graph *graph, struct nn_node *node, const struct nn_kernels *kernels,
		   struct error *err)
{
	const struct nn_tensor *weights = nn_node_constant(graph, node, 1);

	/* What does not fit is refused where the shape of the input is known. */
	if (!weights || weights->type != NN_FLOAT32 || weights->shape.rank != 4 || is_depthwise(weights))
		return 0;
	int64_t groups = nn_node_int(node, "group", 1);
	int64_t rows = weights->shape.dim[0] / groups;
	int64_t depth = nn_shape_span(&weights->shape, 1, 4);
	struct nn_tensor *packed = nn_tensor_new(NN_FLOAT32, &weights->shape);

	if (!packed)
		return nn_out_of_memory(err);
	for (int64_t g = 0; g < groups; g++)
		nn_pack_weights(kernels, weights->f32 + g * rows * depth, rows, depth, packed->f32 + g * rows * depth);
	node->packed = packed;
	return 0;
}

/* Working memory: all channels of a group and a strip for the product; for depthwise one channel. */
static int find_scratch(struct nn_step *step, const struct conv *c, bool depthwise, struct error *err)
{
	struct nn_shape staged = {.rank = 2, .dim = {depthwise ? 1 : c->channels, nn_staging_channel(&c->staging)}};
	int64_t strip = depthwise ? 0 : (c->depth + 1) * 2 * c->kernels->lanes;

	if (!nn_shape_valid(&staged))
		return nn_node_fail(step->node, err, "it needs too much working memory");
	step->scratch = (size_t)(strip + (c->staging.is_direct ? 0 : nn_shape_count(&staged))) * sizeof(float);
	return 0;
}

static void fill(struct conv *c, struct nn_plan *plan, const struct nn_node *node, const struct nn_fusion *fusion)
{
	const struct nn_tensor *weights = nn_node_constant(plan->graph, node, 1);
	const struct nn_tensor *bias = nn_node_constant(plan->graph, node, 2);
	int64_t channels_out = weights->shape.dim[0];
	float *slopes;

	c->kernels = plan->kernels;
	c->staging = nn_staging_of(&c->window);
	nn_staging_skip(&c->staging, &c->window);
	if (is_depthwise(weights))
		nn_staging_align(&c->staging, plan->kernels->lanes);
	c->in_place = c->staging.is_direct && c->staging.taps == 1;
	c->images = nn_plan_input(plan, node, 0)->dim[0];
	c->groups = nn_node_int(node, "group", 1);
	c->channels = weights->shape.dim[1];
	c->rows = channels_out / c->groups;
	c->depth = c->channels * c->staging.taps;
	c->weights = is_depthwise(weights) ? weights->f32 : node->packed->f32;
	nn_staging_tables(&c->staging, &c->window, c + 1);
	slopes = (float *)((char *)(c + 1) + nn_staging_tables_size(&c->staging));
	c->epilogue = (struct nn_epilogue){.bias = bias ? bias->f32 : NULL, .residual_last = fusion->residual_last};
	if (fusion->activation)
		nn_activation_fill(&c->epilogue, plan->graph, fusion->activation, channels_out, slopes);
	c->has_residual = fusion->residual != NN_NO_VALUE;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_tensor *weights = nn_node_constant(plan->graph, node, 1);
	struct nn_fusion fusion = nn_plan_fusion(plan, node);
	struct nn_window window;
	int r = read_window(&window, plan->graph, node, nn_plan_input(plan, node, 0), plan->err);

	if (r < 0)
		return r;
	struct nn_staging staging = nn_staging_of(&window);
	struct nn_step *step = nn_plan_add(plan, node,
					   sizeof(struct conv) + nn_staging_tables_size(&staging) +
					       (size_t)weights->shape.dim[0] * sizeof(float));
	if (!step)
		return error_errno(plan->err);
	struct conv *c = step->params;
	c->window = window;
	fill(c, plan, node, &fusion);
	c->residual = step->input_count - 1;
	step->run = is_depthwise(weights) ? run_depthwise : run_dense;
	step->macs = nn_plan_elements(plan, node) * (uint64_t)c->depth;
	return find_scratch(step, c, is_depthwise(weights), plan->err);
}

const struct nn_operator nn_op_conv = {
    .name = "Conv",
    .attributes = NN_WINDOW_ATTRIBUTES " group:i",
    .min_inputs = 2,
    .max_inputs = 3,
    .data_inputs = 3,
    .check = check,
    .infer = infer,
    .prepare = prepare,
    .compile = compile,
};
