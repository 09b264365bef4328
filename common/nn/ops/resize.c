/* Resize and Upsample, nearest neighbour and linear. */
#include <math.h>
#include <string.h>

#include "nn/blocks.h"
#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

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

/* One axis of a linear resize: output i lies between two inputs. */
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
			const float *top = plane + row->low * l->in_width;
			const float *bottom = plane + row->high * l->in_width;

			for (int64_t x = 0; x < l->width; x++) {
				const struct between *c = &columns[x];
				float above = top[c->low] + c->share * (top[c->high] - top[c->low]);
				float below = bottom[c->low] + c->share * (bottom[c->high] - bottom[c->low]);

				*out++ = above + row->share * (below - above);
			}
		}
	}
}

/* Where in the input the centre of output pixel `x` lies, by coordinate_transformation_mode. */
static double coordinate(const char *mode, double x, double scale, int64_t in, int64_t out)
{
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

static void fill_places(const struct nn_node *node, double scale, int64_t in, int64_t out, struct between *places)
{
	for (int64_t i = 0; i < out; i++) {
		double at = fmin(fmax(coordinate(transform_of(node), (double)i, scale, in, out), 0), (double)(in - 1));
		int64_t low = (int64_t)at;

		places[i] = (struct between){
		    .low = low,
		    .high = low + 1 < in ? low + 1 : low,
		    .share = (float)(at - (double)low),
		};
	}
}

static void fill_sources(const struct nn_node *node, double scale, int64_t in, int64_t out, int64_t *sources)
{
	const char *transform = transform_of(node);
	const char *rounding = is_upsample(node) ? "floor" : nn_node_string(node, "nearest_mode", "round_prefer_floor");

	for (int64_t i = 0; i < out; i++) {
		double at = nearest(rounding, coordinate(transform, (double)i, scale, in, out));

		sources[i] = at < 0 ? 0 : at > (double)(in - 1) ? in - 1 : (int64_t)at;
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
	static const char *const transforms[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
	static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
	const char *transform = nn_node_string(node, "coordinate_transformation_mode", "half_pixel");
	const char *rounding = nn_node_string(node, "nearest_mode", "round_prefer_floor");
	const char *mode = nn_node_string(node, "mode", "nearest");

	if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0)
		return nn_node_fail(node, err, "mode '%.20s' is not supported", mode);
	if (!is_one_of(transform, transforms, array_size(transforms)))
		return nn_node_fail(node, err, "coordinate_transformation_mode '%.30s' is not supported", transform);
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

/* Output shape and the scale of each axis, from scales or sizes. */
static int read_scales(const struct nn_graph *graph, const struct nn_node *node, const struct nn_shape *input,
		       struct nn_shape *out, double scales[NN_MAX_RANK], struct error *err)
{
	unsigned scales_at = is_upsample(node) ? 1 : 2;
	const struct nn_tensor *factors = list_input(graph, node, scales_at, NN_FLOAT32, input->rank);
	const struct nn_tensor *sizes = is_upsample(node) ? NULL : list_input(graph, node, 3, NN_INT64, input->rank);

	if (!factors == !sizes)
		return nn_node_fail(node, err, "one constant of scales and sizes, a number for each axis, is needed");
	if (input->rank < 2)
		return nn_node_fail(node, err, "input has rank %d, 2 or more is needed", input->rank);
	out->rank = input->rank;
	for (int i = 0; i < input->rank; i++) {
		double size = sizes ? (double)sizes->i64[i] : floor((double)input->dim[i] * (double)factors->f32[i]);

		if (!(size >= 1 && size <= (double)NN_MAX_ELEMENTS) || input->dim[i] < 1)
			return nn_node_fail(node, err, "axis %d would have an impossible size", i);
		out->dim[i] = (int64_t)size;
		scales[i] = sizes ? size / (double)input->dim[i] : (double)factors->f32[i];
		if (i < input->rank - 2 && out->dim[i] != input->dim[i])
			return nn_node_fail(node, err, "only the last two axes can be resized, not axis %d", i);
	}
	return 0;
}

static int infer(struct nn_infer *in, const struct nn_node *node)
{
	double scales[NN_MAX_RANK];
	struct nn_shape shape;
	int r = read_scales(in->graph, node, nn_infer_input(in, node, 0), &shape, scales, in->err);

	return r < 0 ? r : nn_infer_output(in, node, &shape);
}

static int compile_linear(struct nn_plan *plan, const struct nn_node *node, const struct nn_shape *shape,
			  const double *scales)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	int y = input->rank - 2;
	size_t places = (size_t)(shape->dim[y] + shape->dim[y + 1]);
	int r = nn_plan_need(plan, node, node->inputs[0], NN_PLANES);

	if (r < 0)
		return r;
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct linear) + places * sizeof(struct between));
	if (!step)
		return error_errno(plan->err);
	struct linear *l = step->params;
	l->planes = nn_shape_span(input, 0, y);
	l->in_height = input->dim[y];
	l->in_width = input->dim[y + 1];
	l->height = shape->dim[y];
	l->width = shape->dim[y + 1];
	fill_places(node, scales[y], l->in_height, l->height, l->places);
	fill_places(node, scales[y + 1], l->in_width, l->width, l->places + l->height);
	step->run = run_linear;
	step->macs = 3 * nn_plan_elements(plan, node);
	return 0;
}

static int compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	double scales[NN_MAX_RANK];
	struct nn_shape shape;
	int r = read_scales(plan->graph, node, input, &shape, scales, plan->err);

	bool blocks = nn_plan_has(plan, node->inputs[0], NN_BLOCKS);
	if (r == 0 && strcmp(nn_node_string(node, "mode", "nearest"), "linear") == 0)
		return compile_linear(plan, node, &shape, scales);
	if (r == 0)
		r = nn_plan_need(plan, node, node->inputs[0], blocks);
	if (r < 0)
		return r;
	int y = input->rank - 2;
	int x = input->rank - 1;
	size_t sources = (size_t)(shape.dim[y] + shape.dim[x]);
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct resize) + sources * sizeof(int64_t));
	if (!step)
		return error_errno(plan->err);
	struct resize *s = step->params;
	s->kernels = plan->kernels;
	s->planes = blocks ? nn_blocks_count(input, plan->kernels->lanes) : nn_shape_span(input, 0, y);
	s->in_height = input->dim[y];
	s->in_width = input->dim[x];
	s->height = shape.dim[y];
	s->width = shape.dim[x];
	fill_sources(node, scales[y], s->in_height, s->height, s->source);
	fill_sources(node, scales[x], s->in_width, s->width, s->source + s->height);
	nn_plan_lay_out(plan, step, 0, blocks);
	nn_plan_lay_out_result(plan, step, blocks);
	step->run = blocks ? run_blocks : run;
	step->macs = nn_plan_elements(plan, node);
	return 0;
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
