/*
 * Convolution in tiles of some pixels by some blocks of filters, see struct nn_tiles. Its input may be planes or blocks
 * of channels; a padded or striding window reads a staged copy of it, so that neighbouring pixels of the output always
 * read neighbouring pixels. Depthwise convolutions slide their window over each plane (staged likewise) or block (where
 * it lies).
 */
#include <limits.h>
#include <string.h>

#include "nn/blocks.h"
#include "nn/ops/activation.h"
#include "nn/ops/ops.h"
#include "nn/ops/window.h"
#include "nn/plan.h"

struct conv {
	const struct nn_kernels *kernels;
	struct nn_window window;
	struct nn_staging staging;
	struct nn_epilogue epilogue;
	const float *weights; /* as prepare() leaves them */
	int64_t images;
	int64_t groups;
	int64_t channels; /* input channels of a group */
	int64_t filters;  /* output channels of a group */
	int64_t depth;    /* channels × taps */
	int64_t lanes;    /* of the input: 1 for planes */
	bool is_planar;   /* the output */
	int64_t *reach;   /* of each weight of a filter: from a pixel to what it is multiplied with */
	bool has_residual;
	unsigned residual; /* its place among the operands */
};

static bool is_depthwise(const struct nn_tensor *weights)
{
	return weights->shape.dim[1] == 1;
}

/* Fewer channels would leave most of a block empty. Known from the file alone, for prepare() to pack the weights. */
static bool slides_over_blocks(const struct nn_graph *graph, const struct nn_node *node,
			       const struct nn_kernels *kernels)
{
	const struct nn_tensor *weights = nn_node_constant(graph, node, 1);
	int64_t channels = weights->shape.dim[0];

	return is_depthwise(weights) && channels == nn_node_int(node, "group", 1) && channels >= kernels->lanes / 2 &&
	       !nn_node_constant(graph, node, 0);
}

static int64_t blocks_of(int64_t channels, int64_t lanes)
{
	return (channels + lanes - 1) / lanes;
}

/* Copies of planes or blocks what some rows of the output need to where the window can slide over them; returns where.
 */
static const float *stage(const struct conv *c, const float *x, int64_t count, int64_t y, float *staged)
{
	int64_t plane = c->window.input[0] * c->window.input[1] * c->lanes;
	int64_t staged_plane = nn_staging_channel(&c->staging) * c->lanes;

	if (c->staging.is_direct)
		return x;
	for (int64_t i = 0; i < count; i++)
		nn_staging_copy(c->kernels, &c->staging, c->lanes, y, x + i * plane, staged + i * staged_plane);
	return staged;
}

static void frame(const struct conv *c, int64_t count, float *staged)
{
	for (int64_t i = 0; i < count && !c->staging.is_direct; i++)
		nn_staging_frame(&c->staging, c->lanes, staged + i * nn_staging_channel(&c->staging) * c->lanes);
}

/* Rows of the output in the band that begins at `y`. */
static int64_t band_at(const struct conv *c, int64_t y)
{
	int64_t rest = c->staging.height - y;

	return rest < c->staging.band ? rest : c->staging.band;
}

static void run_dense(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct conv *c = step->params;
	const float *residual = c->has_residual ? in[c->residual] : NULL;
	int64_t lanes = c->kernels->lanes;
	int64_t area = c->staging.height * c->staging.width;
	int64_t x_blocks = blocks_of(c->channels, c->lanes);
	int64_t group_in = x_blocks * c->window.input[0] * c->window.input[1] * c->lanes;
	int64_t group_out = (c->is_planar ? c->filters : blocks_of(c->filters, lanes) * lanes) * area;
	int64_t row_out = c->staging.width * (c->is_planar ? 1 : lanes);
	int64_t group_weights = nn_packed_filters(c->kernels, c->filters, c->depth);
	struct nn_epilogue epilogue = c->epilogue;
	struct nn_tiles tiles = {
	    .x_row = c->staging.pitch * c->lanes,
	    .x_pixel = c->lanes,
	    .offsets = c->reach,
	    .depth = c->depth,
	    .filters = c->filters,
	    .width = c->staging.width,
	    .area = area,
	    .is_planar = c->is_planar,
	    .epilogue = &epilogue,
	};

	frame(c, x_blocks, scratch);
	for (int64_t i = 0; i < c->images * c->groups; i++) {
		int64_t group = i % c->groups;

		tiles.weights = c->weights + group * group_weights;
		epilogue.bias = c->epilogue.bias + group * c->filters;
		epilogue.slope = c->epilogue.slope + group * c->filters;
		for (int64_t y = 0; y < c->staging.height; y += c->staging.band) {
			int64_t at = i * group_out + y * row_out;

			tiles.x = stage(c, in[0] + i * group_in, x_blocks, y, scratch);
			tiles.height = band_at(c, y);
			tiles.out = out + at;
			tiles.residual = residual ? residual + at : NULL;
			c->kernels->tiles(&tiles);
		}
	}
}

static struct nn_slide slide_of(const struct conv *c)
{
	return (struct nn_slide){
	    .height = c->staging.height,
	    .width = c->staging.width,
	    .pitch = c->staging.pitch,
	    .offsets = c->staging.offsets,
	    .taps = c->staging.taps,
	    .is_whole = c->staging.is_direct && c->staging.height * c->staging.width == 1,
	};
}

static void run_planes(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct conv *c = step->params;
	const float *residual = c->has_residual ? in[c->residual] : NULL;
	int64_t plane = c->window.input[0] * c->window.input[1];
	int64_t area = c->staging.height * c->staging.width;
	struct nn_slide slide = slide_of(c);

	frame(c, 1, scratch);
	for (int64_t i = 0; i < c->images * c->groups; i++) {
		slide.staged = stage(c, in[0] + i * plane, 1, 0, scratch);
		for (int64_t r = 0; r < c->filters; r++) {
			int64_t channel = i % c->groups * c->filters + r;
			int64_t at = (i * c->filters + r) * area;

			slide.out = out + at;
			c->kernels->depthwise(&slide, c->weights + channel * c->staging.taps, &c->epilogue, channel,
					      residual ? residual + at : NULL);
		}
	}
}

/* A depthwise convolution over blocks needs no staging. */
static void run_blocks(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct conv *c = step->params;
	const float *residual = c->has_residual ? in[c->residual] : NULL;
	int64_t block_in = c->window.input[0] * c->window.input[1] * c->lanes;
	int64_t block_out = c->window.output[0] * c->window.output[1] * c->lanes;
	int64_t blocks = blocks_of(c->groups, c->lanes);
	struct nn_block_window window = nn_window_on_block(&c->window);

	(void)scratch;
	for (int64_t i = 0; i < c->images * blocks; i++) {
		int64_t block = i % blocks;

		window.x = in[0] + i * block_in;
		window.out = out + i * block_out;
		c->kernels->depthwise_block(&window, c->weights + block * c->staging.taps * c->lanes, &c->epilogue,
					    block * c->lanes, residual ? residual + i * block_out : NULL);
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

/* Weights of a depthwise convolution, those of a block's channels side by side. */
static struct nn_tensor *pack_blocks(const struct nn_tensor *weights, int64_t lanes)
{
	int64_t channels = weights->shape.dim[0];
	int64_t taps = nn_shape_span(&weights->shape, 2, 4);
	struct nn_shape shape = {.rank = 3, .dim = {blocks_of(channels, lanes), taps, lanes}};
	struct nn_tensor *packed = nn_shape_valid(&shape) ? nn_tensor_new(NN_FLOAT32, &shape) : NULL;

	for (int64_t i = 0; packed && i < channels; i++) {
		for (int64_t t = 0; t < taps; t++)
			packed->f32[(i / lanes * taps + t) * lanes + i % lanes] = weights->f32[i * taps + t];
	}
	return packed;
}

static struct nn_tensor *pack_groups(const struct nn_kernels *kernels, const struct nn_tensor *weights, int64_t groups)
{
	int64_t filters = weights->shape.dim[0] / groups;
	int64_t depth = nn_shape_span(&weights->shape, 1, 4);
	int64_t group = nn_packed_filters(kernels, filters, depth);
	struct nn_shape shape = {.rank = 2, .dim = {groups, group}};
	struct nn_tensor *packed = nn_shape_valid(&shape) ? nn_tensor_new(NN_FLOAT32, &shape) : NULL;

	for (int64_t g = 0; packed && g < groups; g++)
		nn_pack_filters(kernels, weights->f32 + g * filters * depth, filters, depth, packed->f32 + g * group);
	return packed;
}

static int prepare(const struct nn_graph *graph, struct nn_node *node, const struct nn_kernels *kernels,
		   struct error *err)
{
	const struct nn_tensor *weights = nn_node_constant(graph, node, 1);
	int64_t groups = nn_node_int(node, "group", 1);

	/* What does not fit is refused where the shape of the input is known. */
	if (!weights || weights->type != NN_FLOAT32 || weights->shape.rank != 4 || weights->shape.dim[0] % groups != 0)
		return 0;
	if (slides_over_blocks(graph, node, kernels))
		node->packed = pack_blocks(weights, kernels->lanes);
	else if (!is_depthwise(weights))
		node->packed = pack_groups(kernels, weights, groups);
	else
		return 0;
	return node->packed ? 0 : nn_out_of_memory(err);
}

/* Working memory: what is staged at a time. */
static int find_scratch(struct nn_step *step, const struct conv *c, int64_t staged, struct error *err)
{
	struct nn_shape shape = {.rank = 3, .dim = {staged, nn_staging_channel(&c->staging), c->lanes}};

	if (c->staging.is_direct || step->run == run_blocks)
		return 0;
	if (!nn_shape_valid(&shape))
		return nn_node_fail(step->node, err, "it needs too much working memory");
	step->scratch = (size_t)nn_shape_count(&shape) * sizeof(float);
	return 0;
}

/* Bias and slopes, one for each channel and some more to the end of the last block. */
static void fill_epilogue(struct conv *c, const struct nn_plan *plan, const struct nn_node *node,
			  const struct nn_fusion *fusion, float *bias, float *slopes)
{
	const struct nn_tensor *given = nn_node_constant(plan->graph, node, 2);
	int64_t channels = nn_node_constant(plan->graph, node, 1)->shape.dim[0];

	if (given)
		memcpy(bias, given->f32, (size_t)channels * sizeof(float));
	c->epilogue = (struct nn_epilogue){.bias = bias, .slope = slopes, .residual_last = fusion->residual_last};
	if (fusion->activation)
		nn_activation_fill(&c->epilogue, plan->graph, fusion->activation, channels, slopes);
}

static void fill_reach(struct conv *c)
{
	bool is_direct = c->staging.is_direct;
	int64_t plane = is_direct ? c->window.input[0] * c->window.input[1] : nn_staging_channel(&c->staging);

	for (int64_t k = 0; k < c->depth; k++) {
		int64_t channel = k / c->staging.taps;

		c->reach[k] = (channel / c->lanes * plane + c->staging.offsets[k % c->staging.taps]) * c->lanes +
			      channel % c->lanes;
	}
}

/* How a node's operands and result are laid out; the plan is asked to have the operands so. */
static int choose_layout(struct nn_plan *plan, const struct nn_node *node, const struct nn_fusion *fusion,
			 bool *blocks_in, bool *blocks_out)
{
	const struct nn_tensor *weights = nn_node_constant(plan->graph, node, 1);

	if (is_depthwise(weights) || nn_node_int(node, "group", 1) > 1) {
		*blocks_in = slides_over_blocks(plan->graph, node, plan->kernels);
		*blocks_out = *blocks_in;
	} else {
		*blocks_in = nn_plan_has(plan, node->inputs[0], NN_BLOCKS);
		*blocks_out = nn_plan_may_block(plan) && weights->shape.dim[0] >= plan->kernels->lanes / 2;
	}
	int r = nn_plan_need(plan, node, node->inputs[0], *blocks_in);
	if (r == 0 && fusion->residual != NN_NO_VALUE)
		r = nn_plan_need(plan, node, fusion->residual, *blocks_out);
	return r;
}

static void fill(struct conv *c, struct nn_plan *plan, const struct nn_node *node, const struct nn_fusion *fusion)
{
	const struct nn_tensor *weights = nn_node_constant(plan->graph, node, 1);
	int64_t channels_out = weights->shape.dim[0];
	float *floats;

	c->kernels = plan->kernels;
	c->staging = nn_staging_of(&c->window);
	nn_staging_skip(&c->staging, &c->window);
	if (is_depthwise(weights) && c->lanes == 1)
		nn_staging_align(&c->staging, plan->kernels->lanes);
	else if (!is_depthwise(weights))
		nn_staging_cut(&c->staging, blocks_of(weights->shape.dim[1], c->lanes), c->lanes);
	c->images = nn_plan_input(plan, node, 0)->dim[0];
	c->groups = nn_node_int(node, "group", 1);
	c->channels = weights->shape.dim[1];
	c->filters = channels_out / c->groups;
	c->depth = c->channels * c->staging.taps;
	c->weights = node->packed ? node->packed->f32 : weights->f32;
	c->reach = (int64_t *)(c + 1);
	nn_staging_tables(&c->staging, &c->window, c->reach + c->depth);
	fill_reach(c);
	floats = (float *)((char *)(c->reach + c->depth) + nn_staging_tables_size(&c->staging));
	fill_epilogue(c, plan, node, fusion, floats, floats + channels_out + plan->kernels->lanes);
	c->has_residual = fusion->residual != NN_NO_VALUE;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_tensor *weights = nn_node_constant(plan->graph, node, 1);
	struct nn_fusion fusion = nn_plan_fusion(plan, node);
	struct nn_window window;
	bool blocks_in = false;
	bool blocks_out = false;
	int r = read_window(&window, plan->graph, node, nn_plan_input(plan, node, 0), plan->err);

	if (r == 0)
		r = choose_layout(plan, node, &fusion, &blocks_in, &blocks_out);
	if (r < 0)
		return r;
	struct nn_staging staging = nn_staging_of(&window);
	size_t reach = (size_t)(weights->shape.dim[1] * staging.taps) * sizeof(int64_t);
	size_t floats = 2 * (size_t)(weights->shape.dim[0] + plan->kernels->lanes) * sizeof(float);
	struct nn_step *step =
	    nn_plan_add(plan, node, sizeof(struct conv) + reach + nn_staging_tables_size(&staging) + floats);
	if (!step)
		return error_errno(plan->err);
	struct conv *c = step->params;
	c->window = window;
	c->lanes = blocks_in ? plan->kernels->lanes : 1;
	c->is_planar = !blocks_out;
	fill(c, plan, node, &fusion);
	c->residual = step->input_count - 1;
	nn_plan_lay_out(plan, step, 0, blocks_in);
	if (c->has_residual)
		nn_plan_lay_out(plan, step, c->residual, blocks_out);
	nn_plan_lay_out_result(plan, step, blocks_out);
	step->run = !is_depthwise(weights) ? run_dense : blocks_in ? run_blocks : run_planes;
	step->macs = nn_plan_elements(plan, node) * (uint64_t)c->depth;
	return find_scratch(step, c, is_depthwise(weights) ? 1 : blocks_of(c->channels, c->lanes), plan->err);
}

const struct nn_operator nn_op_conv = {
    .name = "Conv",
    .attributes = NN_WINDOW_ATTRIBUTES " group:i",
    .min_inputs = 2,
    .max_inputs = 3,
    .data_inputs = 3,
    .takes_blocks = true,
    .check = check,
    .infer = infer,
    .prepare = prepare,
    .compile = compile,
};
