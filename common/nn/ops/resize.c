/* Resize and Upsample, nearest neighbour and linear. */
#include <math.h>
#include <string.h>

#include "nn/blocks.h"
#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

#define CROP "tf_crop_and_resize"
/** How far outside the input a crop may begin or end, in sizes of the input. */
#define MAX_CROP 1024

struct resize {
	const struct nn_kernels *kernels;
	int64_t planes; /* leading axes, which keep their size; or blocks */
	int64_t in_height;
	int64_t in_width;
	int64_t height;
	int64_t width;
	int64_t source[]; /* of each output row, then of each output column */
};

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct resize *r = step->params;
	const int64_t *columns = r->source + r->height;
	size_t row_size = (size_t)r->width * sizeof(float);

	(void)scratch;
	for (int64_t i = 0; i < r->planes; i++) {
		const float *plane = in[0] + i * r->in_height * r->in_width;

		for (int64_t y = 0; y < r->height; y++, out += r->width) {
			const float *row = plane + r->source[y] * r->in_width;

			if (y > 0 && r->source[y] == r->source[y - 1])
				memcpy(out, out - r->width, row_size);
			else
				for (int64_t x = 0; x < r->width; x++)
					out[x] = row[columns[x]];
		}
	}
}

static void run_blocks(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct resize *r = step->params;
	const int64_t *columns = r->source + r->height;
	int64_t lanes = r->kernels->lanes;

	(void)scratch;
	for (int64_t i = 0; i < r->planes; i++) {
		for (int64_t y = 0; y < r->height; y++, out += r->width * lanes) {
			int64_t row = i * r->in_height + r->source[y];

			r->kernels->pick_block(in[0] + row * r->in_width * lanes, columns, r->width, out);
		}
	}
}

/* One axis of a linear resize: output i lies between two inputs, or outside of them all (low < 0). */
struct between {
	int64_t low;
	int64_t high;
	float share; /* of the high one */
};

struct linear {
	int64_t planes;
	int64_t in_height;
	int64_t in_width;
	int64_t height;
	int64_t width;
	float outside;
	struct between places[]; /* of each output row, then of each output column */
};

static void run_linear(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct linear *l = step->params;
	const struct between *columns = l->places + l->height;

	(void)scratch;
	for (int64_t i = 0; i < l->planes; i++) {
		const float *plane = in[0] + i * l->in_height * l->in_width;

		for (int64_t y = 0; y < l->height; y++) {
			const struct between *row = &l->places[y];
			const float *top = plane + (row->low < 0 ? 0 : row->low) * l->in_width;
			const float *bottom = plane + row->high * l->in_width;

			for (int64_t x = 0; x < l->width; x++) {
				const struct between *c = &columns[x];

				if (row->low < 0 || c->low < 0) {
					*out++ = l->outside;
					continue;
				}
				float above = top[c->low] + c->share * (top[c->high] - top[c->low]);
				float below = bottom[c->low] + c->share * (bottom[c->high] - bottom[c->low]);

				*out++ = above + row->share * (below - above);
			}
		}
	}
}

/* One axis that is resized: `scale` from input to output, and which part of the input (0 … 1) a crop shows. */
struct axis {
	int64_t in;
	int64_t out;
	double scale;
	double start;
	double end;
};

/* Where in the input the centre of output pixel `x` lies, by coordinate_transformation_mode. */
static double coordinate(const char *mode, double x, const struct axis *axis)
{
	int64_t in = axis->in;
	int64_t out = axis->out;
	double scale = axis->scale;

	if (strcmp(mode, CROP) == 0) {
		double share = out > 1 ? x / (double)(out - 1) : 0.5;
		return (axis->start + share * (axis->end - axis->start)) * (double)(in - 1);
	}
	if (strcmp(mode, "asymmetric") == 0)
		return x / scale;
	/* The specification means the length before it is rounded down to whole pixels. */
	if (strcmp(mode, "align_corners") == 0)
		return out > 1 ? x * (double)(in - 1) / (scale * (double)in - 1) : 0;
	if (strcmp(mode, "pytorch_half_pixel") == 0 && out <= 1)
		return 0;
	return (x + 0.5) / scale - 0.5;
}

static double nearest(const char *mode, double x)
{
	if (strcmp(mode, "floor") == 0)
		return floor(x);
	if (strcmp(mode, "ceil") == 0)
		return ceil(x);
	if (strcmp(mode, "round_prefer_ceil") == 0)
		return floor(x + 0.5);
	return ceil(x - 0.5); /* round_prefer_floor */
}

static bool is_upsample(const struct nn_node *node)
{
	return node->op == &nn_op_upsample || node->opset < 11;
}

/* Before opset 11 there was one rule only. */
static const char *transform_of(const struct nn_node *node)
{
	return is_upsample(node) ? "asymmetric" : nn_node_string(node, "coordinate_transformation_mode", "half_pixel");
}

static void fill_places(const struct nn_node *node, const struct axis *axis, struct between *places)
{
	const char *transform = transform_of(node);
	double last = (double)(axis->in - 1);

	for (int64_t i = 0; i < axis->out; i++) {
		double wanted = coordinate(transform, (double)i, axis);
		double at = fmin(fmax(wanted, 0), last);
		int64_t low = (int64_t)at;

		places[i] = (struct between){
		    .low = low,
		    .high = low + 1 < axis->in ? low + 1 : low,
		    .share = (float)(at - (double)low),
		};
		if (strcmp(transform, CROP) == 0 && !(wanted >= 0 && wanted <= last))
			places[i].low = -1;
	}
}

static void fill_sources(const struct nn_node *node, const struct axis *axis, int64_t *sources)
{
	const char *transform = transform_of(node);
	const char *rounding = is_upsample(node) ? "floor" : nn_node_string(node, "nearest_mode", "round_prefer_floor");

	for (int64_t i = 0; i < axis->out; i++) {
		double at = nearest(rounding, coordinate(transform, (double)i, axis));

		sources[i] = at < 0 ? 0 : at > (double)(axis->in - 1) ? axis->in - 1 : (int64_t)at;
	}
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, list[i]) == 0)
			return true;
	}
	return false;
}

static int check(const struct nn_node *node, struct error *err)
{
	static const char *const transforms[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
						 CROP};
	static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
	const char *transform = nn_node_string(node, "coordinate_transformation_mode", "half_pixel");
	const char *rounding = nn_node_string(node, "nearest_mode", "round_prefer_floor");
	const char *mode = nn_node_string(node, "mode", "nearest");

	if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0)
		return nn_node_fail(node, err, "mode '%.20s' is not supported", mode);
	if (!is_one_of(transform, transforms, array_size(transforms)))
		return nn_node_fail(node, err, "coordinate_transformation_mode '%.30s' is not supported", transform);
	if (strcmp(transform, CROP) == 0 && strcmp(mode, "linear") != 0)
		return nn_node_fail(node, err, "coordinate_transformation_mode '" CROP "' needs mode 'linear'");
	if (!is_one_of(rounding, roundings, array_size(roundings)))
		return nn_node_fail(node, err, "nearest_mode '%.30s' is not supported", rounding);
	if (nn_node_int(node, "antialias", 0) != 0)
		return nn_node_fail(node, err, "antialias is not supported");
	return 0;
}

/* A constant list of one number for each axis; NULL when it is left out or empty. */
static const struct nn_tensor *list_input(const struct nn_graph *graph, const struct nn_node *node, unsigned index,
					  enum nn_type type, int rank)
{
	const struct nn_tensor *list = nn_node_constant(graph, node, index);

	return list && list->type == type && nn_shape_count(&list->shape) == rank && rank > 0 ? list : NULL;
}

/* The part of each axis that a crop shows: all starts, then all ends. */
static int read_crop(const struct nn_graph *graph, const struct nn_node *node, int rank, struct axis *axes,
		     struct error *err)
{
	const struct nn_tensor *part = list_input(graph, node, 1, NN_FLOAT32, 2 * rank);

	if (strcmp(transform_of(node), CROP) != 0)
		return 0;
	if (!part)
		return nn_node_fail(node, err, "input 1 (roi) must be a constant, two numbers for each axis");
	for (int i = 0; i < rank; i++) {
		axes[i].start = (double)part->f32[i];
		axes[i].end = (double)part->f32[rank + i];
		if (!(fabs(axes[i].start) <= MAX_CROP && fabs(axes[i].end) <= MAX_CROP))
			return nn_node_fail(node, err, "input 1 (roi) has %g to %g", axes[i].start, axes[i].end);
	}
	return 0;
}

/* What becomes of each axis, from scales or sizes. */
static int read_axes(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		     struct axis axes[NN_MAX_RANK], struct error *err)
{
	unsigned scales_at = is_upsample(node) ? 1 : 2;
	const struct nn_tensor *factors = list_input(graph, node, scales_at, NN_FLOAT32, input->rank);
	const struct nn_tensor *sizes = is_upsample(node) ? NULL : list_input(graph, node, 3, NN_INT64, input->rank);

	if (!factors == !sizes)
		return nn_node_fail(node, err, "one constant of scales and sizes, a number for each axis, is needed");
	if (input->rank < 2)
		return nn_node_fail(node, err, "input has rank %d, 2 or more is needed", input->rank);
	for (int i = 0; i < input->rank; i++) {
		double size = sizes ? (double)sizes->i64[i] : floor((double)input->dim[i] * (double)factors->f32[i]);

		if (!(size >= 1 && size <= (double)NN_MAX_ELEMENTS) || input->dim[i] < 1)
			return nn_node_fail(node, err, "axis %d would have an impossible size", i);
		axes[i] = (struct axis){
		    .in = input->dim[i],
		    .out = (int64_t)size,
		    .scale = sizes ? size / (double)input->dim[i] : (double)factors->f32[i],
		};
		if (i < input->rank - 2 && axes[i].out != axes[i].in)
			return nn_node_fail(node, err, "only the last two axes can be resized, not axis %d", i);
	}
	return read_crop(graph, node, input->rank, axes, err);
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	struct axis axes[NN_MAX_RANK];
	struct nn_shape shape = {.rank = input->rank};
	int r = read_axes(in->graph, node, input, axes, in->err);

	for (int i = 0; r == 0 && i < shape.rank; i++)
		shape.dim[i] = axes[i].out;
	return r < 0 ? r : nn_infer_output(in, node, &shape);
}

static int compile_linear(struct nn_plan *plan, const struct nn_node *node, const struct axis *rows)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	size_t places = (size_t)(rows[0].out + rows[1].out);
	int r = nn_plan_need(plan, node, node->inputs[0], NN_PLANES);

	if (r < 0)
		return r;
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct linear) + places * sizeof(struct between));
	if (!step)
		return error_errno(plan->err);
	struct linear *l = step->params;
	l->planes = nn_shape_span(input, 0, input->rank - 2);
	l->in_height = rows[0].in;
	l->in_width = rows[1].in;
	l->height = rows[0].out;
	l->width = rows[1].out;
	l->outside = nn_node_float(node, "extrapolation_value", 0);
	fill_places(node, &rows[0], l->places);
	fill_places(node, &rows[1], l->places + l->height);
	step->run = run_linear;
	step->macs = 3 * nn_plan_elements(plan, node);
	return 0;
}

static int compile_nearest(struct nn_plan *plan, const struct nn_node *node, const struct axis *rows)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	bool blocks = nn_plan_has(plan, node->inputs[0], NN_BLOCKS);
	size_t sources = (size_t)(rows[0].out + rows[1].out);
	int r = nn_plan_need(plan, node, node->inputs[0], blocks);

	if (r < 0)
		return r;
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct resize) + sources * sizeof(int64_t));
	if (!step)
		return error_errno(plan->err);
	struct resize *s = step->params;
	s->kernels = plan->kernels;
	s->planes = blocks ? nn_blocks_count(input, plan->kernels->lanes) : nn_shape_span(input, 0, input->rank - 2);
	s->in_height = rows[0].in;
	s->in_width = rows[1].in;
	s->height = rows[0].out;
	s->width = rows[1].out;
	fill_sources(node, &rows[0], s->source);
	fill_sources(node, &rows[1], s->source + s->height);
	nn_plan_lay_out(plan, step, 0, blocks);
	nn_plan_lay_out_result(plan, step, blocks);
	step->run = blocks ? run_blocks : run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	bool is_linear = strcmp(nn_node_string(node, "mode", "nearest"), "linear") == 0;
	struct axis axes[NN_MAX_RANK];
	int r = read_axes(plan->graph, node, input, axes, plan->err);

	if (r < 0)
		return r;
	const struct axis *rows = &axes[input->rank - 2];
	return is_linear ? compile_linear(plan, node, rows) : compile_nearest(plan, node, rows);
}

const struct nn_operator nn_op_resize = {
    .name = "Resize",
    .attributes = "antialias:i coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i "
		  "extrapolation_value:f mode:s nearest_mode:s",
    .min_inputs = 1,
    .max_inputs = 4,
    .data_inputs = 1,
    .takes_blocks = true,
    .check = check,
    .infer = infer,
    .compile = compile,
};

const struct nn_operator nn_op_upsample = {
    .name = "Upsample",
    .attributes = "mode:s",
    .min_inputs = 2,
    .max_inputs = 2,
    .data_inputs = 1,
    .takes_blocks = true,
    .check = check,
    .infer = infer,
    .compile = compile,
};
