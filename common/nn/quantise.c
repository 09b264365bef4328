#include "nn/quantise.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/operator.h"
#include "nn/session.h"

/* Of a file of ranges. */
#define MAX_TEXT ((size_t)4 << 20)
#define LARGEST 1e18f
#define NARROWEST 1e-18f

static struct nn_quantisation *new_quantisation(const struct nn_graph *graph, const struct nn_int8_kernels *kernels)
{
	struct nn_quantisation *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->kernels = kernels;
	q->value_count = graph->value_count;
	q->node_count = graph->node_count;
	q->ranges = calloc(graph->value_count + 1, sizeof(*q->ranges));
	q->weights = calloc(graph->node_count + 1, sizeof(*q->weights));
	if (!q->ranges || !q->weights) {
		nn_quantisation_free(q);
		return NULL;
	}
	for (unsigned i = 0; i < graph->value_count; i++)
		q->ranges[i] = (struct nn_range){1, -1};
	return q;
}

void nn_quantisation_free(struct nn_quantisation *q)
{
	if (!q)
		return;
	for (unsigned i = 0; q->weights && i < q->node_count; i++) {
		free(q->weights[i].bytes);
		free(q->weights[i].scale);
		free(q->weights[i].sums);
	}
	free(q->ranges);
	free(q->weights);
	free(q);
}

static bool is_seen(const struct nn_range *range)
{
	return range->low <= range->high;
}

static uint32_t find_value(const struct nn_graph *graph, const char *name)
{
	for (uint32_t i = 0; i < graph->value_count; i++) {
		if (graph->values[i].name && strcmp(graph->values[i].name, name) == 0)
			return i;
	}
	return NN_NO_VALUE;
}

/* "LOW HIGH NAME" */
static int read_line(struct nn_quantisation *q, const struct nn_graph *graph, char *line, unsigned number,
		     struct error *err)
{
	char *rest;
	char *after;
	float low = strtof(line, &rest);
	float high = strtof(rest, &after);

	if (rest == line || after == rest || *after != ' ' || !isfinite(low) || !isfinite(high) || low > 0 ||
	    high < 0 || high - low < NARROWEST || high - low > LARGEST)
		return error_set(err, ERROR_MODEL, "ranges, line %u: no \"LOW HIGH NAME\" with LOW <= 0 <= HIGH",
				 number);
	uint32_t value = find_value(graph, after + 1);
	if (value == NN_NO_VALUE || graph->values[value].constant)
		return error_set(err, ERROR_MODEL, "ranges, line %u: the network computes no value \"%.60s\"", number,
				 after + 1);
	if (is_seen(&q->ranges[value]))
		return error_set(err, ERROR_MODEL, "ranges, line %u: \"%.60s\" stands there twice", number, after + 1);
	q->ranges[value] = (struct nn_range){low, high};
	return 0;
}

static int read_ranges(struct nn_quantisation *q, const struct nn_graph *graph, const char *text, size_t size,
		       struct error *err)
{
	char *copy = size <= MAX_TEXT ? strndup(text, size) : NULL;
	char *rest = copy;
	int r = 0;

	if (!copy)
		return error_set(err, ERROR_MODEL, "%zu bytes of ranges are too many", size);
	for (unsigned number = 1; r == 0 && rest; number++) {
		char *line = strsep(&rest, "\n");

		if (*line != '\0' && *line != '#')
			r = read_line(q, graph, line, number, err);
	}
	free(copy);
	return r;
}

/* Weights that the 8-bit kernels can multiply with, or NULL. */
static const struct nn_tensor *usable_weights(const struct nn_graph *graph, const struct nn_node *node,
					      bool *is_depthwise)
{
	const struct nn_tensor *w = nn_node_constant(graph, node, 1);
	int64_t group = nn_node_int(node, "group", 1);
	int64_t count;

	if (strcmp(node->op->name, "Conv") != 0 || !w || w->type != NN_FLOAT32 || w->shape.rank != 4)
		return NULL;
	*is_depthwise = group > 1 && group == w->shape.dim[0] && w->shape.dim[1] == 1;
	count = nn_shape_count(&w->shape);
	if (count < 1 || (group != 1 && !*is_depthwise) || nn_shape_span(&w->shape, 1, 4) > NN_INT8_MAX_DEPTH / 4)
		return NULL;
	for (int64_t i = 0; i < count; i++) {
		if (!(fabsf(w->f32[i]) < LARGEST))
			return NULL;
	}
	return w;
}

static float scale_of(const float *row, int64_t count)
{
	float largest = 0;

	for (int64_t i = 0; i < count; i++)
		largest = fmaxf(largest, fabsf(row[i]));
	return largest > NARROWEST ? largest / 127 : 1;
}

/* Channel by channel in the file, pixel by pixel in a row that is multiplied: for depthwise one row for each tap. */
static void quantise_weights(const struct nn_tensor *w, struct nn_int8_weights *q, int8_t *rows)
{
	int64_t channels = w->shape.dim[1];
	int64_t taps = nn_shape_span(&w->shape, 2, 4);
	int64_t pixel = NN_INT8_PIXEL(q->is_depthwise ? w->shape.dim[0] : channels);

	for (int64_t r = 0; r < w->shape.dim[0]; r++) {
		const float *row = w->f32 + r * channels * taps;

		q->scale[r] = scale_of(row, channels * taps);
		for (int64_t c = 0; c < channels; c++) {
			for (int64_t t = 0; t < taps; t++) {
				int64_t at = q->is_depthwise ? t * pixel + r : (r * taps + t) * pixel + c;

				rows[at] = (int8_t)lrintf(row[c * taps + t] / q->scale[r]);
				q->sums[r] += rows[at];
			}
		}
	}
}

static int prepare_weights(struct nn_quantisation *q, const struct nn_tensor *w, struct nn_int8_weights *out,
			   struct error *err)
{
	int64_t rows = w->shape.dim[0];
	int64_t depth = nn_shape_span(&w->shape, 2, 4) * NN_INT8_PIXEL(out->is_depthwise ? rows : w->shape.dim[1]);
	size_t row_bytes = (size_t)(out->is_depthwise ? depth : rows * depth);
	int8_t *plain = calloc(1, row_bytes + NN_SLACK);

	out->scale = calloc((size_t)rows, sizeof(*out->scale));
	out->sums = calloc((size_t)rows, sizeof(*out->sums));
	if (plain && out->scale && out->sums) {
		quantise_weights(w, out, plain);
		if (out->is_depthwise) {
			out->bytes = plain;
			return 0;
		}
		out->bytes = malloc((size_t)NN_INT8_PACKED(rows, depth));
		if (out->bytes)
			nn_int8_pack(q->kernels, plain, rows, depth, out->bytes);
	}
	free(plain);
	return out->bytes ? 0 : nn_out_of_memory(err);
}

int nn_quantise(struct nn_quantisation **out, const struct nn_graph *graph, const char *text, size_t size,
		const struct nn_int8_kernels *kernels, struct error *err)
{
	struct nn_quantisation *q = new_quantisation(graph, kernels);
	int r = q ? read_ranges(q, graph, text, size, err) : nn_out_of_memory(err);

	for (unsigned i = 0; r == 0 && i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];
		const struct nn_tensor *w = usable_weights(graph, node, &q->weights[i].is_depthwise);

		if (w && is_seen(&q->ranges[node->inputs[0]]))
			r = prepare_weights(q, w, &q->weights[i], err);
	}
	if (r < 0) {
		nn_quantisation_free(q);
		return r;
	}
	*out = q;
	return 0;
}

/* A value may be bytes if its maker and every reader, after fusion, can deal with them. */
static void find_bytes(struct nn_plan *plan)
{
	const struct nn_graph *graph = plan->graph;

	memset(plan->is_bytes, 0, graph->value_count * sizeof(*plan->is_bytes));
	for (unsigned i = 0; i < graph->node_count; i++) {
		uint32_t out = plan->fusions[i].output;

		if (plan->fusions[i].head == i && plan->is_quantised[i])
			plan->is_bytes[out] =
			    is_seen(&plan->quantisation->ranges[out]) && graph->values[out].outputs == 0;
	}
	for (unsigned i = 0; i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];

		for (unsigned k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != NN_NO_VALUE && !plan->is_quantised[plan->fusions[i].head])
				plan->is_bytes[node->inputs[k]] = false;
		}
	}
}

/* A residual that is no bytes sends its convolution back to float32; what that changes is looked at again. */
static bool drop_one(struct nn_plan *plan)
{
	for (unsigned i = 0; i < plan->graph->node_count; i++) {
		uint32_t residual = plan->fusions[i].residual;

		if (plan->is_quantised[i] && residual != NN_NO_VALUE && !plan->is_bytes[residual]) {
			plan->is_quantised[i] = false;
			return true;
		}
	}
	return false;
}

int nn_quantise_plan(struct nn_plan *plan)
{
	const struct nn_graph *graph = plan->graph;

	plan->is_quantised = calloc(graph->node_count + 1, sizeof(*plan->is_quantised));
	plan->is_bytes = calloc(graph->value_count + 1, sizeof(*plan->is_bytes));
	if (!plan->is_quantised || !plan->is_bytes)
		return nn_out_of_memory(plan->err);
	for (unsigned i = 0; i < graph->node_count; i++)
		plan->is_quantised[i] = plan->fusions[i].head == i && plan->quantisation->weights[i].bytes;
	do
		find_bytes(plan);
	while (drop_one(plan));
	return 0;
}

struct nn_affine nn_quantise_affine(const struct nn_range *range)
{
	float scale = (range->high - range->low) / 255;

	return (struct nn_affine){.scale = scale, .zero = (int32_t)lrintf(-range->low / scale)};
}

static void widen(struct nn_range *range, float value)
{
	if (!is_seen(range))
		*range = (struct nn_range){0, 0};
	range->low = fminf(range->low, value);
	range->high = fmaxf(range->high, value);
}

/* The values of one identity: planes, or blocks whose last channels may be filling. */
static void look_at(const struct nn_session *s, uint32_t identity, struct nn_range *ranges)
{
	uint32_t values = s->model->graph.value_count;
	const struct nn_shape *shape = &s->shapes[identity];
	const struct nn_shape *planes = &s->shapes[identity % values];
	const float *at = s->slots[identity].base;
	int64_t count = nn_shape_count(shape);
	int64_t lanes = s->model->kernels->lanes;

	for (int64_t i = 0; i < count; i++) {
		int64_t area = identity >= values ? nn_shape_span(shape, 2, 4) : 1;
		int64_t channel =
		    i / (area * lanes) % (identity >= values ? shape->dim[1] / lanes : 1) * lanes + i % lanes;

		if (identity < values || channel < planes->dim[1])
			widen(&ranges[identity % values], at[i]);
	}
}

void nn_calibrate(struct nn_session *s, struct nn_range *ranges)
{
	look_at(s, s->model->graph.inputs[0].value, ranges);
	for (unsigned i = 0; i < s->plan.step_count; i++) {
		nn_session_run_step(s, i, 0);
		look_at(s, s->plan.steps[i].output, ranges);
	}
}

int nn_calibration_write(const struct nn_model *model, const struct nn_range *ranges, FILE *file)
{
	for (unsigned i = 0; i < model->graph.value_count; i++) {
		if (is_seen(&ranges[i]) && ranges[i].high - ranges[i].low >= NARROWEST)
			fprintf(file, "%.6g %.6g %s\n", (double)ranges[i].low, (double)ranges[i].high,
				model->graph.values[i].name);
	}
	return ferror(file) ? -EIO : 0;
}
