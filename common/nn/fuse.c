#include "nn/fuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nn/operator.h"
#include "nn/ops/activation.h"

struct fuser {
	const struct nn_graph *graph;
	const struct nn_shape *shapes;
	struct nn_fusion *fusions;
	unsigned *reader; /* of each value with one use: the node that reads it */
};

struct nn_fusion nn_fusion_none(const struct nn_node *node, unsigned index)
{
	return (struct nn_fusion){
	    .head = index,
	    .last = index,
	    .residual = NN_NO_VALUE,
	    .output = node->outputs[0],
	};
}

/* The other operand of an Add that adds two tensors of one shape, else NN_NO_VALUE. */
static uint32_t addend(const struct fuser *f, const struct nn_node *add, uint32_t value)
{
	uint32_t other = add->inputs[0] == value ? add->inputs[1] : add->inputs[0];

	if (other == value || f->graph->values[other].constant || !nn_shape_equal(&f->shapes[other], &f->shapes[value]))
		return NN_NO_VALUE;
	return other;
}

static bool absorb(struct fuser *f, struct nn_fusion *head, unsigned reader)
{
	const struct nn_node *node = &f->graph->nodes[reader];

	if (f->fusions[reader].head != reader)
		return false;
	if (!head->activation && node->inputs[0] == head->output &&
	    nn_activation_is_fusible(f->graph, node, &f->shapes[head->output])) {
		head->activation = node;
		return true;
	}
	if (head->residual == NN_NO_VALUE && strcmp(node->op->name, "Add") == 0) {
		head->residual = addend(f, node, head->output);
		head->residual_last = head->activation != NULL;
		return head->residual != NN_NO_VALUE;
	}
	return false;
}

static void fuse_behind(struct fuser *f, unsigned index)
{
	struct nn_fusion *head = &f->fusions[index];

	for (;;) {
		const struct nn_value *value = &f->graph->values[head->output];
		unsigned reader = f->reader[head->output];

		if (value->uses != 1 || value->outputs > 0 || head->residual_last || !absorb(f, head, reader))
			return;
		f->fusions[reader].head = index;
		head->last = reader;
		head->output = f->graph->nodes[reader].outputs[0];
	}
}

int nn_fuse(const struct nn_graph *graph, const struct nn_shape *shapes, struct nn_fusion *fusions)
{
	struct fuser f = {.graph = graph, .shapes = shapes, .fusions = fusions};

	f.reader = calloc(graph->value_count + 1, sizeof(*f.reader));
	if (!f.reader)
		return -ENOMEM;
	for (unsigned i = 0; i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];

		fusions[i] = nn_fusion_none(node, i);
		for (unsigned k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != NN_NO_VALUE)
				f.reader[node->inputs[k]] = i;
		}
	}
	for (unsigned i = 0; i < graph->node_count; i++) {
		if (strcmp(graph->nodes[i].op->name, "Conv") == 0 &&
		    !graph->values[graph->nodes[i].outputs[0]].constant)
			fuse_behind(&f, i);
	}
	free(f.reader);
	return 0;
}
