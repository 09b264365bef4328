/* BatchNormalization that could not be folded into a convolution, and Softmax. */
#include "nn/ops/norm.h"

#include <math.h>

#include "nn/infer.h"
#include "nn/ops/ops.h"
#include "nn/plan.h"

bool nn_norm_is_constant(const struct nn_graph *graph, const struct nn_node *node, int64_t channels)
{
	for (unsigned i = 1; i <= 4; i++) {
		const struct nn_tensor *tensor = nn_node_constant(graph, node, i);

		if (!tensor || tensor->type != NN_FLOAT32 || nn_shape_count(&tensor->shape) != channels)
			return false;
	}
	return true;
}

void nn_norm_channel(const struct nn_graph *graph, const struct nn_node *node, int64_t channel, double *factor,
		     double *offset)
{
	double epsilon = nn_node_float(node, "epsilon", 1e-5f);
	double scale = nn_node_constant(graph, node, 1)->f32[channel];
	double shift = nn_node_constant(graph, node, 2)->f32[channel];
	double mean = nn_node_constant(graph, node, 3)->f32[channel];
	double variance = nn_node_constant(graph, node, 4)->f32[channel];

	*factor = scale / sqrt(variance + epsilon);
	*offset = shift - mean * *factor;
}

struct batch_norm {
	int64_t images;
	int64_t channels;
	int64_t area;
	float terms[]; /* factor and offset of each channel */
};

static void run_batch_norm(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct batch_norm *b = step->params;
	const float *x = in[0];

	(void)scratch;
	for (int64_t i = 0; i < b->images * b->channels; i++) {
		const float *terms = b->terms + 2 * (i % b->channels);

		for (int64_t k = 0; k < b->area; k++)
			*out++ = terms[0] * *x++ + terms[1];
	}
}

static int check_batch_norm(const struct nn_node *node, struct error *err)
{
	if (nn_node_int(node, "training_mode", 0) != 0)
		return nn_node_fail(node, err, "training_mode is not supported");
	return 0;
}

static int infer_batch_norm(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);

	if (input->rank < 2 || !nn_norm_is_constant(in->graph, node, input->dim[1]))
		return nn_node_fail(node, in->err, "parameters must be constant, one float32 for each channel");
	return nn_infer_output(in, node, input);
}

static int compile_batch_norm(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	int64_t channels = input->dim[1];
	struct nn_step *step =
	    nn_plan_add(plan, node, sizeof(struct batch_norm) + (size_t)channels * 2 * sizeof(float));

	if (!step)
		return error_errno(plan->err);
	struct batch_norm *b = step->params;
	b->images = input->dim[0];
	b->channels = channels;
	b->area = nn_shape_span(input, 2, input->rank);
	for (int64_t i = 0; i < channels; i++) {
		double factor;
		double offset;

		nn_norm_channel(plan->graph, node, i, &factor, &offset);
		b->terms[2 * i] = (float)factor;
		b->terms[2 * i + 1] = (float)offset;
	}
	step->run = run_batch_norm;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

/* Sums to one along `length` elements that lie `stride` apart. */
struct softmax {
	int64_t outer;
	int64_t length;
	int64_t stride;
};

static void softmax_line(const float *x, float *out, int64_t length, int64_t stride)
{
	float highest = -INFINITY;
	float sum = 0;

	for (int64_t i = 0; i < length; i++)
		highest = x[i * stride] > highest ? x[i * stride] : highest;
	for (int64_t i = 0; i < length; i++) {
		out[i * stride] = expf(x[i * stride] - highest);
		sum += out[i * stride];
	}
	for (int64_t i = 0; i < length; i++)
		out[i * stride] /= sum;
}

static void run_softmax(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct softmax *s = step->params;

	(void)scratch;
	for (int64_t i = 0; i < s->outer; i++) {
		for (int64_t k = 0; k < s->stride; k++) {
			int64_t at = i * s->length * s->stride + k;
			softmax_line(in[0] + at, out + at, s->length, s->stride);
		}
	}
}

/* Up to opset 12 all axes from `axis` on are one; since then only the axis itself, the last by default. */
static int64_t softmax_axis(const struct nn_node *node)
{
	return nn_node_int(node, "axis", node->opset < 13 ? 1 : -1);
}

static int infer_softmax(struct nn_infer *in, const struct nn_node *node)
{
	const struct nn_shape *input = nn_infer_input(in, node, 0);
	int64_t axis = softmax_axis(node);

	if (!nn_shape_axis(input, &axis))
		return nn_node_fail(node, in->err, "axis %lld of rank %d", (long long)axis, input->rank);
	return nn_infer_output(in, node, input);
}

static int compile_softmax(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	struct nn_step *step = nn_plan_add(plan, node, sizeof(struct softmax));
	int64_t axis = softmax_axis(node);

	if (!step)
		return error_errno(plan->err);
	if (!nn_shape_axis(input, &axis))
		return nn_node_fail(node, plan->err, "axis is out of range");
	struct softmax *s = step->params;
	bool is_one_axis = node->opset >= 13;
	s->outer = nn_shape_span(input, 0, (int)axis);
	s->length = is_one_axis ? input->dim[axis] : nn_shape_span(input, (int)axis, input->rank);
	s->stride = is_one_axis ? nn_shape_span(input, (int)axis + 1, input->rank) : 1;
	step->run = run_softmax;
	step->macs = nn_plan_elements(plan, node);
	return 0;
}

const struct nn_operator nn_op_batch_normalization = {
    .name = "BatchNormalization",
    .attributes = "epsilon:f momentum:f training_mode:i",
    .min_inputs = 5,
    .max_inputs = 5,
    .data_inputs = 1,
    .check = check_batch_norm,
    .infer = infer_batch_norm,
    .compile = compile_batch_norm,
};

const struct nn_operator nn_op_softmax = {
    .name = "Softmax",
    .attributes = "axis:i",
    .min_inputs = 1,
    .max_inputs = 1,
    .data_inputs = 1,
    .infer = infer_softmax,
    .compile = compile_softmax,
};
