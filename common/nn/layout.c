#include "nn/layout.h"

#include <stdlib.h>

#include "nn/memory.h"
#include "nn/model.h"
#include "nn/operator.h"
#include "nn/session.h"

#define NOWHERE UINT32_MAX

struct layout {
	struct nn_session *session;
	const struct nn_graph *graph;
	uint32_t *root;      /* of each value, then of each in blocks: the value whose memory it shares */
	uint32_t *buffer_of; /* of each root: its buffer in the arena, or NOWHERE */
	uint32_t *output_of; /* of each root: the output it is written into, or NOWHERE */
	struct nn_buffer *buffers;
	uint32_t buffer_count;
	struct error *err;
};

static int allocate(struct layout *l)
{
	unsigned values = 2 * l->graph->value_count + 1;

	l->root = calloc(values, sizeof(*l->root));
	l->buffer_of = malloc(values * sizeof(*l->buffer_of));
	l->output_of = malloc(values * sizeof(*l->output_of));
	l->buffers = calloc(l->session->plan.step_count + 1, sizeof(*l->buffers));
	if (!l->root || !l->buffer_of || !l->output_of || !l->buffers)
		return nn_out_of_memory(l->err);
	for (unsigned i = 0; i < values; i++) {
		l->root[i] = i;
		l->buffer_of[i] = NOWHERE;
		l->output_of[i] = NOWHERE;
	}
	return 0;
}

static void release(struct layout *l)
{
	free(l->root);
	free(l->buffer_of);
	free(l->output_of);
	free(l->buffers);
}

static void join_views(struct layout *l)
{
	for (unsigned i = 0; i < l->graph->node_count; i++) {
		const struct nn_node *node = &l->graph->nodes[i];

		if (node->op->is_view)
			l->root[node->outputs[0]] = l->root[node->inputs[0]];
	}
}

/* The step that makes a value writes it straight to an output, unless it is wanted there twice or made by none. */
/* NN_NO_VALUE for a graph of constants. */
static uint32_t input_of(const struct layout *l)
{
	return l->graph->input_count > 0 ? l->graph->inputs[0].value : NN_NO_VALUE;
}

static void assign_outputs(struct layout *l)
{
	struct nn_session *s = l->session;
	uint32_t input = input_of(l);

	for (unsigned i = 0; i < l->graph->output_count; i++) {
		uint32_t value = l->graph->outputs[i].value;
		uint32_t root = l->root[value];

		if (root == input || l->graph->values[root].constant || l->output_of[root] != NOWHERE)
			s->copies[s->copy_count++] = (struct nn_copy){.value = value, .output = i};
		else
			l->output_of[root] = i;
	}
}

static size_t bytes_of(const struct layout *l, uint32_t value)
{
	return nn_align((size_t)nn_shape_count(&l->session->shapes[value]) * sizeof(float) + NN_SLACK);
}

static void find_lifetimes(struct layout *l)
{
	const struct nn_plan *plan = &l->session->plan;

	for (unsigned i = 0; i < plan->step_count; i++) {
		const struct nn_step *step = &plan->steps[i];
		uint32_t root = l->root[step->output];

		for (unsigned k = 0; k < step->input_count; k++) {
			uint32_t buffer = l->buffer_of[l->root[step->inputs[k]]];

			if (buffer != NOWHERE)
				l->buffers[buffer].last = i;
		}
		if (l->output_of[root] != NOWHERE)
			continue;
		l->buffer_of[root] = l->buffer_count;
		l->buffers[l->buffer_count++] = (struct nn_buffer){.size = bytes_of(l, root), .first = i, .last = i};
	}
}

/* Adds `count` tensors of a value, one for each image; false above the limit. */
static bool add_images(const struct layout *l, uint32_t value, size_t limit, size_t *total)
{
	size_t one = (size_t)nn_shape_count(&l->session->shapes[value]) * sizeof(float);
	size_t images = (size_t)l->session->images;

	if (one > limit / images || one * images > limit - *total)
		return false;
	*total += nn_align(one * images + NN_SLACK);
	return *total <= limit;
}

/* Bytes of the whole session; false above the limit. */
static bool find_total(const struct layout *l, size_t arena, size_t scratch, size_t limit, size_t *total)
{
	*total = 0;
	if (l->graph->input_count > 0 && !add_images(l, input_of(l), limit, total))
		return false;
	for (unsigned i = 0; i < l->graph->output_count; i++) {
		if (!add_images(l, l->graph->outputs[i].value, limit, total))
			return false;
	}
	if (arena > limit - *total || scratch > limit - *total - arena)
		return false;
	*total += arena + scratch;
	return true;
}

/* Hands out `images` tensors of a value from `*at` on. */
static struct nn_slot take(const struct layout *l, uint32_t value, size_t *at)
{
	int64_t count = nn_shape_count(&l->session->shapes[value]);
	size_t bytes = nn_align((size_t)(count * l->session->images) * sizeof(float) + NN_SLACK);
	struct nn_slot slot = {.per_image = count, .is_bound = true, .offset = *at};

	*at += bytes / sizeof(float);
	return slot;
}

static void fill_slots(struct layout *l, size_t arena)
{
	struct nn_session *s = l->session;
	uint32_t input = input_of(l);
	size_t at = 0;

	if (input != NN_NO_VALUE)
		s->slots[input] = take(l, input, &at);
	for (unsigned i = 0; i < l->graph->output_count; i++)
		s->outputs[i] = take(l, l->graph->outputs[i].value, &at);
	for (uint32_t v = 0; v < 2 * l->graph->value_count; v++) {
		uint32_t root = l->root[v];

		if (root == input)
			s->slots[v] = s->slots[input];
		else if (root < l->graph->value_count && l->graph->values[root].constant)
			s->slots[v].base = l->graph->values[root].constant->f32;
		else if (l->output_of[root] != NOWHERE)
			s->slots[v] = s->outputs[l->output_of[root]];
		else if (l->buffer_of[root] != NOWHERE)
			s->slots[v] = (struct nn_slot){
			    .is_bound = true,
			    .offset = at + l->buffers[l->buffer_of[root]].offset / sizeof(float),
			};
	}
	s->scratch_offset = at + arena / sizeof(float);
}

static size_t largest_scratch(const struct nn_plan *plan)
{
	size_t largest = 0;

	for (unsigned i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].scratch > largest)
			largest = plan->steps[i].scratch;
	}
	return nn_align(largest + NN_SLACK);
}

static int place(struct layout *l, size_t max_bytes)
{
	struct nn_session *s = l->session;
	size_t scratch = largest_scratch(&s->plan);
	size_t arena;
	int r = allocate(l);

	if (r < 0)
		return r;
	join_views(l);
	assign_outputs(l);
	find_lifetimes(l);
	if (nn_memory_place(l->buffers, l->buffer_count, &arena) < 0)
		return nn_out_of_memory(l->err);
	if (!find_total(l, arena, scratch, max_bytes, &s->size))
		return error_set(l->err, ERROR_MODEL, "a session of this size needs more than %zu bytes", max_bytes);
	fill_slots(l, arena);
	return 0;
}

int nn_layout(struct nn_session *session, size_t max_bytes, struct error *err)
{
	struct layout l = {.session = session, .graph = &session->graph, .err = err};
	int r = place(&l, max_bytes);

	release(&l);
	return r;
}
