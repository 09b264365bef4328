#include "nn/graph.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/operator.h"

void nn_node_finish(struct nn_node *node)
{
	for (size_t i = 0; i < node->attribute_count; i++)
		nn_attribute_finish(&node->attributes[i]);
	free(node->attributes);
	free(node->name);
	free(node->inputs);
	free(node->outputs);
	nn_tensor_free(node->packed);
	*node = (struct nn_node){0};
}

void nn_graph_finish(struct nn_graph *graph)
{
	for (unsigned i = 0; i < graph->node_count; i++)
		nn_node_finish(&graph->nodes[i]);
	for (unsigned i = 0; i < graph->value_count; i++) {
		free(graph->values[i].name);
		nn_tensor_free(graph->values[i].constant);
	}
	free(graph->nodes);
	free(graph->values);
	free(graph->inputs);
	free(graph->outputs);
	*graph = (struct nn_graph){0};
}

uint32_t nn_graph_add_value(struct nn_graph *graph, const char *name, struct nn_tensor *constant)
{
	if (graph->value_count == graph->value_capacity) {
		unsigned capacity = graph->value_capacity ? 2 * graph->value_capacity : 64;
		struct nn_value *values = realloc(graph->values, capacity * sizeof(*values));

		if (!values)
			return NN_NO_VALUE;
		graph->values = values;
		graph->value_capacity = capacity;
	}
	char *copy = strdup(name);
	if (!copy)
		return NN_NO_VALUE;
	graph->values[graph->value_count] = (struct nn_value){.name = copy, .constant = constant};
	return graph->value_count++;
}

void nn_graph_count_uses(struct nn_graph *graph)
{
	for (unsigned i = 0; i < graph->value_count; i++) {
		graph->values[i].uses = 0;
		graph->values[i].outputs = 0;
	}
	for (unsigned i = 0; i < graph->node_count; i++) {
		const struct nn_node *node = &graph->nodes[i];

		for (unsigned k = 0; k < node->input_count; k++) {
			if (node->inputs[k] != NN_NO_VALUE)
				graph->values[node->inputs[k]].uses++;
		}
	}
	for (unsigned i = 0; i < graph->output_count; i++) {
		graph->values[graph->outputs[i].value].uses++;
		graph->values[graph->outputs[i].value].outputs++;
	}
}

uint32_t nn_node_input(const struct nn_node *node, unsigned index)
{
	return index < node->input_count ? node->inputs[index] : NN_NO_VALUE;
}

const struct nn_tensor *nn_node_constant(const struct nn_graph *graph, const struct nn_node *node, unsigned index)
{
	uint32_t value = nn_node_input(node, index);

	return value == NN_NO_VALUE ? NULL : graph->values[value].constant;
}

const struct nn_attribute *nn_node_attribute(const struct nn_node *node, const char *name)
{
	for (size_t i = 0; i < node->attribute_count; i++) {
		if (strcmp(node->attributes[i].name, name) == 0)
			return &node->attributes[i];
	}
	return NULL;
}

int64_t nn_node_int(const struct nn_node *node, const char *name, int64_t fallback)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, name);

	return attribute ? attribute->i : fallback;
}

float nn_node_float(const struct nn_node *node, const char *name, float fallback)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, name);

	return attribute ? attribute->f : fallback;
}

const char *nn_node_string(const struct nn_node *node, const char *name, const char *fallback)
{
	const struct nn_attribute *attribute = nn_node_attribute(node, name);

	return attribute ? attribute->s : fallback;
}

int nn_node_fail(const struct nn_node *node, struct error *err, const char *fmt, ...)
{
	char why[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	return error_set(err, ERROR_MODEL, "node '%.60s' (%s): %s", node->name, node->op->name, why);
}

int nn_out_of_memory(struct error *err)
{
	return error_set(err, ERROR_MODEL, "out of memory");
}
