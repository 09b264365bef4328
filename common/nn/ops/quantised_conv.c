/*
 * Convolution in 8 bits. Pixels keep their channels side by side, so that what an output sees is a few runs of bytes
 * and need not be gathered; only padding, and an input that is still float32, have to be staged.
 */
#include "nn/ops/quantised_conv.h"

#include <string.h>

#include "nn/blocks.h"
#include "nn/ops/activation.h"
#include "nn/ops/window.h"
#include "nn/quantise.h"

struct quantised_conv {
	const struct nn_int8_kernels *kernels;
	const struct nn_int8_weights *weights;
	struct nn_window window;
	int64_t images;
	int64_t channels; /* of the input */
	struct nn_affine input_means;
	bool reads_bytes;
	bool writes_bytes;
	bool is_staged;
	unsigned residual; /* its place among the operands; 0: none */
	int64_t rows;      /* of a staged image */
	int64_t pitch;     /* bytes between two of them */
	struct nn_int8_slide slide;
};

static int64_t pixel_of(const struct quantised_conv *c)
{
	return NN_INT8_PIXEL(c->channels);
}

/* Copies image or quantises it into the middle of the staged one; the frame around it means zero. */
static void stage(const struct quantised_conv *c, const void *image, uint8_t *staged)
{
	const struct nn_window *w = &c->window;
	int64_t plane = w->input[0] * w->input[1];
	size_t row_bytes = (size_t)(w->input[1] * pixel_of(c));
	size_t left = (size_t)(w->before[1] * pixel_of(c));

	for (int64_t y = 0; y < c->rows; y++, staged += c->pitch) {
		int64_t from = y - w->before[0];

		if (from < 0 || from >= w->input[0]) {
			memset(staged, c->input_means.zero, (size_t)c->pitch);
			continue;
		}
		memset(staged, c->input_means.zero, left);
		memset(staged + left + row_bytes, c->input_means.zero, (size_t)c->pitch - left - row_bytes);
		if (c->reads_bytes) {
			memcpy(staged + left, (const uint8_t *)image + (size_t)from * row_bytes, row_bytes);
			continue;
		}
		c->kernels->quantise(&(struct nn_int8_row){
		    .from = (const float *)image + from * w->input[1],
		    .plane = plane,
		    .channels = c->channels,
		    .columns = w->input[1],
		    .means = c->input_means,
		    .to = staged + left,
		});
	}
}

static void run(const struct nn_step *step, const float *const *in, float *out, float *scratch)
{
	const struct quantised_conv *c = step->params;
	struct nn_int8_slide slide = c->slide;
	int64_t plane_in = c->window.input[0] * c->window.input[1];
	int64_t plane_out = slide.height * slide.width;
	int64_t bytes_out = plane_out * NN_INT8_PIXEL(slide.channels);

	for (int64_t i = 0; i < c->images; i++) {
		const void *image = c->reads_bytes ? (const void *)((const uint8_t *)in[0] + i * plane_in * pixel_of(c))
						   : (const void *)(in[0] + i * plane_in * c->channels);

		slide.input = c->is_staged ? (const uint8_t *)scratch : image;
		if (c->is_staged)
			stage(c, image, (uint8_t *)scratch);
		if (c->residual)
			slide.ending.residual = (const uint8_t *)in[c->residual] + i * bytes_out;
		if (c->writes_bytes)
			slide.ending.out = (uint8_t *)out + i * bytes_out;
		else
			slide.ending.values = out + i * plane_out * slide.channels;
		if (c->weights->is_depthwise)
			c->kernels->depthwise(&slide, c->weights->bytes);
		else
			c->kernels->dense(&slide, c->weights->bytes);
	}
}

/* One run for each row of the window where its taps lie side by side, else one for each tap. */
static void fill_runs(struct quantised_conv *c, int64_t *offsets)
{
	const struct nn_window *w = &c->window;
	bool is_joined = w->dilation[1] == 1 && !c->weights->is_depthwise;
	int64_t columns = is_joined ? 1 : w->kernel[1];

	for (int64_t y = 0; y < w->kernel[0]; y++) {
		for (int64_t x = 0; x < columns; x++)
			offsets[c->slide.runs++] = y * w->dilation[0] * c->pitch + x * w->dilation[1] * pixel_of(c);
	}
	c->slide.offsets = offsets;
	c->slide.run_length = (is_joined ? w->kernel[1] : 1) * pixel_of(c);
}

static void fill_slide(struct quantised_conv *c, const struct nn_window *w, int64_t *offsets)
{
	bool is_padded = w->before[0] + w->after[0] + w->before[1] + w->after[1] > 0;

	c->is_staged = !c->reads_bytes || is_padded;
	c->rows = w->input[0] + w->before[0] + w->after[0];
	c->pitch = (w->input[1] + w->before[1] + w->after[1]) * pixel_of(c);
	c->slide.height = w->output[0];
	c->slide.width = w->output[1];
	c->slide.row_step = w->stride[0] * c->pitch;
	c->slide.column_step = w->stride[1] * pixel_of(c);
	fill_runs(c, offsets);
}

/* `arrays` has room for three times `room` floats. */
static void fill_ending(struct quantised_conv *c, const struct nn_plan *plan, const struct nn_node *node,
			const struct nn_fusion *fusion, float *arrays, int64_t room)
{
	const struct nn_tensor *bias = nn_node_constant(plan->graph, node, 2);
	struct nn_epilogue epilogue = {0};
	struct nn_int8_ending *e = &c->slide.ending;

	if (fusion->activation)
		nn_activation_fill(&epilogue, plan->graph, fusion->activation, c->slide.channels, arrays + 2 * room);
	for (int64_t i = 0; i < c->slide.channels; i++) {
		double scale = (double)c->input_means.scale * (double)c->weights->scale[i];
		double shift = scale * c->input_means.zero * c->weights->sums[i];

		arrays[i] = (float)scale;
		arrays[room + i] = (float)((bias ? (double)bias->f32[i] : 0) - shift);
	}
	e->scale = arrays;
	e->bias = arrays + room;
	e->slope = arrays + 2 * room;
	e->activation = epilogue.activation;
	e->residual_last = fusion->residual_last;
	e->low = epilogue.low;
	e->high = epilogue.high;
	if (c->residual)
		e->residual_means = nn_quantise_affine(&plan->quantisation->ranges[fusion->residual]);
	if (c->writes_bytes)
		e->out_means = nn_quantise_affine(&plan->quantisation->ranges[fusion->output]);
}

static int find_scratch(struct nn_step *step, const struct quantised_conv *c, struct error *err)
{
	struct nn_shape staged = {.rank = 2, .dim = {c->rows, c->pitch}};

	if (!nn_shape_valid(&staged))
		return nn_node_fail(step->node, err, "it needs too much working memory");
	step->scratch = c->is_staged ? (size_t)nn_shape_count(&staged) : 0;
	return 0;
}

int nn_quantised_conv_compile(struct nn_plan *plan, const struct nn_node *node)
{
	const struct nn_shape *input = nn_plan_input(plan, node, 0);
	const struct nn_shape *output = nn_plan_output(plan, node);
	const struct nn_tensor *w = nn_node_constant(plan->graph, node, 1);
	struct nn_fusion fusion = nn_plan_fusion(plan, node);
	struct nn_window window;
	int r = nn_window_read(&window, node, input, w->shape.dim + 2, plan->err);

	if (r == 0 && !plan->is_bytes[node->inputs[0]])
		r = nn_plan_need(plan, node, node->inputs[0], NN_PLANES);
	if (r < 0)
		return r;
	size_t taps = (size_t)(window.kernel[0] * window.kernel[1]);
	int64_t room = (output->dim[1] / NN_INT8_CHANNELS + 1) * NN_INT8_CHANNELS;
	struct nn_step *step = nn_plan_add(
	    plan, node, sizeof(struct quantised_conv) + taps * sizeof(int64_t) + 3 * (size_t)room * sizeof(float));
	if (!step)
		return error_errno(plan->err);
	struct quantised_conv *c = step->params;
	int64_t *offsets = (int64_t *)(c + 1);

	c->kernels = plan->quantisation->kernels;
	c->weights = &plan->quantisation->weights[node - plan->graph->nodes];
	c->window = window;
	c->images = input->dim[0];
	c->channels = input->dim[1];
	c->slide.channels = output->dim[1];
	c->input_means = nn_quantise_affine(&plan->quantisation->ranges[node->inputs[0]]);
	c->reads_bytes = plan->is_bytes[node->inputs[0]];
	c->writes_bytes = plan->is_bytes[fusion.output];
	c->residual = fusion.residual != NN_NO_VALUE ? step->input_count - 1 : 0;
	fill_slide(c, &window, offsets);
	fill_ending(c, plan, node, &fusion, (float *)(offsets + taps), room);
	step->run = run;
	step->macs = nn_plan_elements(plan, node) * (uint64_t)nn_shape_span(&w->shape, 1, 4);
	return find_scratch(step, c, plan->err);
}
