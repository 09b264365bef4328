#include "nn/model.h"

#include <stdlib.h>
#include <string.h>

#include "nn/blas.h"
#include "nn/onnx_load.h"
#include "nn/quantise.h"
#include "nn/simplify.h"

/* What nn_quantise() needs. */
struct precision {
	const char *ranges;
	size_t size;
	const struct nn_int8_kernels *kernels;
};

/* `precision` NULL: float32. */
static int load(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
		const struct nn_kernels *kernels, const struct precision *precision, struct error *err)
{
	int r = nn_blas_prepare(err);
	struct nn_model *model = r == 0 ? calloc(1, sizeof(*model)) : NULL;

	if (r < 0)
		return r;
	if (!model)
		return nn_out_of_memory(err);
	model->kernels = kernels;
	model->name = strdup(name);
	r = model->name ? nn_onnx_load(&model->graph, bytes, size, err) : nn_out_of_memory(err);
	if (r == 0)
		r = nn_simplify(&model->graph, kernels, err);
	if (r == 0 && precision)
		r = nn_quantise(&model->quantisation, &model->graph, precision->ranges, precision->size,
				precision->kernels, err);
	if (r < 0) {
		error_prefix(err, "%.60s", name);
		nn_model_free(model);
		return r;
	}
	nn_release_constants(&model->graph);
	*out = model;
	return 0;
}

int nn_model_load_for(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
		      const struct nn_kernels *kernels, struct error *err)
{
	return load(out, name, bytes, size, kernels, NULL, err);
}

int nn_model_load_int8_for(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
			   const char *ranges, size_t ranges_size, const struct nn_kernels *kernels,
			   const struct nn_int8_kernels *int8_kernels, struct error *err)
{
	struct precision precision = {.ranges = ranges, .size = ranges_size, .kernels = int8_kernels};

	return load(out, name, bytes, size, kernels, &precision, err);
}

int nn_model_load_int8(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size, const char *ranges,
		       size_t ranges_size, struct error *err)
{
	return nn_model_load_int8_for(out, name, bytes, size, ranges, ranges_size, nn_kernels_best(), nn_int8_best(),
				      err);
}

int nn_model_load(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size, struct error *err)
{
	return nn_model_load_for(out, name, bytes, size, nn_kernels_best(), err);
}

void nn_model_free(struct nn_model *model)
{
	if (!model)
		return;
	nn_quantisation_free(model->quantisation);
	nn_graph_finish(&model->graph);
	free(model->name);
	free(model);
}

unsigned nn_model_input_count(const struct nn_model *model)
{
	return model->graph.input_count;
}

const struct nn_shape *nn_model_input_shape(const struct nn_model *model, unsigned index)
{
	return index < model->graph.input_count ? &model->graph.inputs[index].shape : NULL;
}

unsigned nn_model_output_count(const struct nn_model *model)
{
	return model->graph.output_count;
}

const char *nn_model_output_name(const struct nn_model *model, unsigned index)
{
	return index < model->graph.output_count ? model->graph.values[model->graph.outputs[index].value].name : NULL;
}

int nn_model_find_output(const struct nn_model *model, const char *name)
{
	for (unsigned i = 0; i < model->graph.output_count; i++) {
		if (strcmp(nn_model_output_name(model, i), name) == 0)
			return (int)i;
	}
	return -1;
}
