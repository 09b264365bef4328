#include "nn/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nn/blocks.h"
#include "nn/infer.h"
#include "nn/layout.h"
#include "nn/model.h"
#include "nn/operator.h"
#include "nn/workspace.h"

#define DEFAULT_MAX_BYTES ((size_t)1 << 30)

/* Batch sizes that can be asked for. */
#define MAX_IMAGES 4096

static int check_input(const struct nn_model *model, const struct nn_shape *shape, struct error *err)
{
	const struct nn_graph *graph = &model->graph;
	char text[NN_SHAPE_TEXT];

	if (graph->input_count == 0)
		return 0;
	if (graph->input_count > 1)
		return error_set(err, ERROR_MODEL, "the network has %u inputs, 1 is supported", graph->input_count);
	const struct nn_shape *declared = &graph->inputs[0].shape;

	if (shape->rank != declared->rank || !nn_shape_valid(shape))
		return error_set(err, ERROR_MODEL, "input shape %s does not fit the network's rank %d",
				 nn_shape_format(shape, text, sizeof(text)), declared->rank);
	if (shape->rank > 0 && declared->dim[0] > 1 && shape->dim[0] != declared->dim[0])
		return error_set(err, ERROR_MODEL, "the network is made for batches of exactly %lld, not %lld",
				 (long long)declared->dim[0], (long long)shape->dim[0]);
	return 0;
}

/* The shape one pass of the plan takes, and how many passes a full batch needs. */
static int split_batch(struct nn_session *s, const struct nn_shape *shape, struct nn_shape *one, struct error *err)
{
	*one = *shape;
	s->images = 1;
	if (s->graph.input_count == 0 || shape->rank == 0 || shape->dim[0] == 0 || s->graph.inputs[0].shape.dim[0] > 1)
		return 0;
	if (shape->dim[0] > MAX_IMAGES)
		return error_set(err, ERROR_MODEL, "a batch of %lld, at most %d is supported", (long long)shape->dim[0],
				 MAX_IMAGES);
	s->images = (int)shape->dim[0];
	one->dim[0] = 1;
	return 0;
}

/* Nodes and weights are the model's. */
static int copy_graph(struct nn_session *s, struct error *err)
{
	const struct nn_graph *graph = &s->model->graph;
	struct nn_value *values = malloc((graph->value_count + 1) * sizeof(*values));

	if (!values)
		return nn_out_of_memory(err);
	if (graph->value_count > 0)
		memcpy(values, graph->values, graph->value_count * sizeof(*values));
	s->graph = *graph;
	s->graph.values = values;
	return 0;
}

static void free_graph(struct nn_session *s)
{
	for (unsigned i = 0; s->graph.values && i < s->graph.value_count; i++) {
		if (s->graph.values[i].constant != s->model->graph.values[i].constant)
			nn_tensor_free(s->graph.values[i].constant);
	}
	free(s->graph.values);
}

static int allocate_tables(struct nn_session *s, struct error *err)
{
	const struct nn_graph *graph = &s->graph;

	/* All values, then all values in blocks. */
	s->shapes = calloc(2 * (size_t)graph->value_count + 1, sizeof(*s->shapes));
	s->slots = calloc(2 * (size_t)graph->value_count + 1, sizeof(*s->slots));
	s->outputs = calloc(graph->output_count + 1, sizeof(*s->outputs));
	s->copies = calloc(graph->output_count + 1, sizeof(*s->copies));
	s->operands = calloc(NN_MAX_OPERANDS + 1, sizeof(*s->operands));
	return s->shapes && s->slots && s->outputs && s->copies && s->operands ? 0 : nn_out_of_memory(err);
}

/* No single tensor may exceed the limit; checked before anything of its size is allocated. */
static int check_sizes(const struct nn_session *s, size_t max_bytes, struct error *err)
{
	const struct nn_graph *graph = &s->graph;

	for (unsigned i = 0; i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];
		const struct nn_shape *shape = &s->shapes[node->outputs[0]];
		char text[NN_SHAPE_TEXT];

		if ((size_t)nn_shape_count(shape) > max_bytes / sizeof(float))
			return nn_node_fail(node, err, "its output %s is larger than the session may be",
					    nn_shape_format(shape, text, sizeof(text)));
	}
	for (unsigned i = 0; i < graph->output_count; i++) {
		const struct nn_tensor *constant = graph->values[graph->outputs[i].value].constant;

		if (constant && constant->type != NN_FLOAT32)
			return error_set(err, ERROR_MODEL, "output %u has integers, only float32 is supported", i);
		if (s->images > 1 && s->shapes[graph->outputs[i].value].rank == 0)
			return error_set(err, ERROR_MODEL, "output %u is a scalar: a batch has no room in it", i);
	}
	return 0;
}

static int build(struct nn_session *s, const struct nn_shape *shape, size_t max_bytes, struct error *err)
{
	const struct nn_graph *graph = &s->graph;
	struct nn_shape one;
	int r = check_input(s->model, shape, err);

	if (r == 0)
		r = copy_graph(s, err);
	if (r == 0)
		r = split_batch(s, shape, &one, err);
	if (r == 0)
		r = allocate_tables(s, err);
	if (r < 0)
		return r;
	struct nn_infer infer = {
	    .graph = &s->graph,
	    .loaded = s->model->graph.values,
	    .kernels = s->model->kernels,
	    .shapes = s->shapes,
	    .err = err,
	};
	r = nn_infer_graph(&infer, &one);
	if (r == 0)
		r = check_sizes(s, max_bytes, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < graph->value_count; i++)
		s->shapes[graph->value_count + i] = nn_blocks_shape(&s->shapes[i], s->model->kernels->lanes);
	s->plan = (struct nn_plan){
	    .graph = graph,
	    .kernels = s->model->kernels,
	    .shapes = s->shapes,
	    .quantisation = s->model->quantisation,
	    .err = err,
	};
	r = nn_plan_compile(&s->plan);
	s->plan.err = NULL;
	return r < 0 ? r : nn_layout(s, max_bytes, err);
}

static int bind_slots(struct nn_session *session, struct nn_workspace *workspace, struct error *err)
{
	session->owns_workspace = !workspace;
	if (!workspace) {
		int r = nn_workspace_new(&workspace, err);
		if (r < 0)
			return r;
	}
	session->workspace = workspace;
	return nn_workspace_enter(workspace, session) < 0 ? nn_out_of_memory(err) : 0;
}

int nn_session_new(struct nn_session **out, const struct nn_model *model, const struct nn_shape *shape,
		   size_t max_bytes, struct error *err)
{
	return nn_session_new_in(out, model, shape, max_bytes, NULL, err);
}

int nn_session_new_in(struct nn_session **out, const struct nn_model *model, const struct nn_shape *shape,
		      size_t max_bytes, struct nn_workspace *workspace, struct error *err)
{
	struct nn_session *session = calloc(1, sizeof(*session));

	if (!session)
		return nn_out_of_memory(err);
	session->model = model;
	int r = build(session, shape, max_bytes ? max_bytes : DEFAULT_MAX_BYTES, err);
	if (r == 0)
		r = bind_slots(session, workspace, err);
	if (r < 0) {
		error_prefix(err, "%.60s", model->name);
		nn_session_free(session);
		return r;
	}
	*out = session;
	return 0;
}

void nn_session_free(struct nn_session *session)
{
	if (!session)
		return;
	if (session->workspace)
		nn_workspace_leave(session->workspace, session);
	if (session->owns_workspace)
		nn_workspace_free(session->workspace);
	nn_plan_finish(&session->plan);
	free_graph(session);
	free(session->shapes);
	free(session->slots);
	free(session->outputs);
	free(session->copies);
	free(session->operands);
	free(session);
}

static void bind_all(struct nn_slot *slots, unsigned count, float *memory)
{
	for (unsigned i = 0; i < count; i++)
		if (slots[i].is_bound)
			slots[i].base = memory + slots[i].offset;
}

void nn_session_bind(struct nn_session *session, float *memory)
{
	bind_all(session->slots, 2 * session->graph.value_count, memory);
	bind_all(session->outputs, session->graph.output_count, memory);
	session->scratch = memory + session->scratch_offset;
}

float *nn_session_input(struct nn_session *session)
{
	return session->graph.input_count > 0 ? session->slots[session->graph.inputs[0].value].base : NULL;
}

static float *place_of(const struct nn_slot *slot, int image)
{
	return slot->base ? slot->base + image * slot->per_image : NULL;
}

void nn_session_run_step(struct nn_session *s, unsigned index, int image)
{
	const struct nn_step *step = &s->plan.steps[index];

	for (unsigned i = 0; i < step->input_count; i++)
		s->operands[i] = place_of(&s->slots[step->inputs[i]], image);
	step->run(step, s->operands, place_of(&s->slots[step->output], image), s->scratch);
}

void nn_session_run(struct nn_session *s, int batch)
{
	const struct nn_shape *input = s->graph.input_count > 0 ? &s->shapes[s->graph.inputs[0].value] : NULL;
	int per_pass = input && input->rank > 0 && input->dim[0] > 0 ? (int)input->dim[0] : 1;
	int passes = batch / per_pass;

	assert(batch > 0 && batch % per_pass == 0 && passes <= s->images);
	for (int image = 0; image < passes; image++) {
		for (unsigned i = 0; i < s->plan.step_count; i++)
			nn_session_run_step(s, i, image);
		for (unsigned i = 0; i < s->copy_count; i++) {
			const struct nn_slot *out = &s->outputs[s->copies[i].output];

			if (out->per_image > 0)
				memcpy(place_of(out, image), place_of(&s->slots[s->copies[i].value], image),
				       (size_t)out->per_image * sizeof(float));
		}
	}
	s->ran = passes;
}

const float *nn_session_output(const struct nn_session *session, unsigned index, struct nn_shape *shape)
{
	const struct nn_graph *graph = &session->graph;

	assert(index < graph->output_count);
	if (shape) {
		*shape = session->shapes[graph->outputs[index].value];
		if (shape->rank > 0)
			shape->dim[0] *= session->ran;
	}
	return session->outputs[index].base;
}
