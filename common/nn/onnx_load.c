#include "nn/onnx_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nn/names.h"
#include "nn/onnx_node.h"
#include "nn/onnx_tensor.h"
#include "nn/operator.h"
#include "nn/wire.h"

struct loader {
	struct nn_graph *graph;
	const Onnx__GraphProto *proto;
	struct nn_names names;
	int opset;
	struct error *err;
};

/* Adds a value under a name from the file; takes `constant` over even on failure. */
static int add_value(struct loader *l, const char *name, struct nn_tensor *constant, uint32_t *out)
{
	char *printable = nn_onnx_name(name);
	uint32_t value = NN_NO_VALUE;
	int r = 0;

	if (l->graph->value_count >= NN_MAX_VALUES)
		r = error_set(l->err, ERROR_MODEL, "more than %d tensors", NN_MAX_VALUES);
	else if (!printable || (value = nn_graph_add_value(l->graph, printable, constant)) == NN_NO_VALUE)
		r = nn_out_of_memory(l->err);
	if (r < 0) {
		nn_tensor_free(constant);
	} else {
		int added = nn_names_add(&l->names, nn_onnx_text(name), value);

		if (added == -EEXIST)
			r = error_set(l->err, ERROR_MODEL, "tensor '%.60s' is defined twice", printable);
		else if (added < 0)
			r = nn_out_of_memory(l->err);
		*out = value;
	}
	free(printable);
	return r;
}

static int load_initializers(struct loader *l)
{
	uint32_t value;

	if (l->proto->n_sparse_initializer > 0)
		return error_set(l->err, ERROR_MODEL, "sparse tensors are not supported");
	for (size_t i = 0; i < l->proto->n_initializer; i++) {
		const Onnx__TensorProto *proto = l->proto->initializer[i];
		struct nn_tensor *tensor;
		int r = nn_onnx_tensor(&tensor, proto, l->err);

		if (r < 0) {
			error_prefix(l->err, "tensor '%.60s'", nn_onnx_text(proto->name));
			return r;
		}
		r = add_value(l, proto->name, tensor, &value);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_port_shape(struct nn_shape *shape, const Onnx__ValueInfoProto *info, struct error *err)
{
	const Onnx__TypeProto *type = info->type;
	const Onnx__TypeProto__Tensor *tensor =
	    type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? type->tensor_type : NULL;

	if (!tensor || tensor->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
		return error_set(err, ERROR_MODEL, "input '%.60s' is not a float32 tensor", nn_onnx_text(info->name));
	if (!tensor->shape || tensor->shape->n_dim > NN_MAX_RANK)
		return error_set(err, ERROR_MODEL, "input '%.60s' has no shape of at most %d dimensions",
				 nn_onnx_text(info->name), NN_MAX_RANK);
	*shape = (struct nn_shape){.rank = (int)tensor->shape->n_dim};
	for (size_t i = 0; i < tensor->shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *dim = tensor->shape->dim[i];
		bool is_fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;

		/* Exporters write 0 or -1 for "any" too. */
		shape->dim[i] = is_fixed && dim->dim_value > 0 ? dim->dim_value : -1;
	}
	return 0;
}

static int load_inputs(struct loader *l)
{
	if (l->proto->n_input > NN_MAX_VALUES)
		return error_set(l->err, ERROR_MODEL, "more than %d inputs", NN_MAX_VALUES);
	l->graph->inputs = calloc(l->proto->n_input + 1, sizeof(*l->graph->inputs));
	if (!l->graph->inputs)
		return nn_out_of_memory(l->err);
	for (size_t i = 0; i < l->proto->n_input; i++) {
		const Onnx__ValueInfoProto *info = l->proto->input[i];
		struct nn_port *port = &l->graph->inputs[l->graph->input_count];

		/* Files of old versions list the weights among the inputs. */
		if (nn_names_find(&l->names, nn_onnx_text(info->name)) != NN_NO_VALUE)
			continue;
		int r = read_port_shape(&port->shape, info, l->err);
		if (r == 0)
			r = add_value(l, info->name, NULL, &port->value);
		if (r < 0)
			return r;
		l->graph->input_count++;
	}
	return 0;
}

static int connect_inputs(struct loader *l, struct nn_node *node, const Onnx__NodeProto *proto)
{
	size_t count = proto->n_input;

	while (count > 0 && !*nn_onnx_text(proto->input[count - 1]))
		count--;
	if (count < node->op->min_inputs || count > node->op->max_inputs)
		return nn_node_fail(node, l->err, "%zu inputs, %u to %u are supported", count, node->op->min_inputs,
				    node->op->max_inputs);
	node->inputs = calloc(count + 1, sizeof(*node->inputs));
	if (!node->inputs)
		return nn_out_of_memory(l->err);
	for (size_t i = 0; i < count; i++) {
		const char *name = nn_onnx_text(proto->input[i]);
		uint32_t value = *name ? nn_names_find(&l->names, name) : NN_NO_VALUE;

		if (value == NN_NO_VALUE && (*name || i < node->op->min_inputs || i < node->op->data_inputs))
			return nn_node_fail(node, l->err, "input %zu ('%.60s') comes from no earlier node", i, name);
		node->inputs[node->input_count++] = value;
	}
	return 0;
}

/* A node here computes one output; where there are several of no use, they may be named if nobody reads them. */
static int connect_outputs(struct loader *l, struct nn_node *node, const Onnx__NodeProto *proto)
{
	if (node->part >= proto->n_output || !*nn_onnx_text(proto->output[node->part]))
		return nn_node_fail(node, l->err, "it has no output");
	node->outputs = calloc(1, sizeof(*node->outputs));
	if (!node->outputs)
		return nn_out_of_memory(l->err);
	node->output_count = 1;
	int r = add_value(l, proto->output[node->part], NULL, &node->outputs[0]);
	if (r < 0)
		error_prefix(l->err, "node '%.60s' (%s)", node->name, node->op->name);
	return r;
}

static int load_constant(struct loader *l, const Onnx__NodeProto *proto)
{
	struct nn_tensor *tensor = NULL;
	uint32_t value;
	int r = nn_onnx_constant(&tensor, proto, l->err);

	if (r == 0 && proto->n_output != 1) {
		nn_tensor_free(tensor);
		r = error_set(l->err, ERROR_MODEL, "%zu outputs", proto->n_output);
	} else if (r == 0) {
		r = add_value(l, proto->output[0], tensor, &value);
	}
	if (r < 0)
		error_prefix(l->err, "node '%.60s' (Constant)", nn_onnx_text(proto->name));
	return r;
}

static bool is_constant(const Onnx__NodeProto *proto)
{
	return strcmp(nn_onnx_text(proto->op_type), "Constant") == 0 && nn_onnx_is_standard_domain(proto->domain);
}

/* Nodes that a node of the file becomes. */
static size_t parts_of(const Onnx__NodeProto *proto)
{
	const struct nn_operator *op = nn_operator_find(nn_onnx_text(proto->op_type));

	return op && op->has_parts && proto->n_output > 1 ? proto->n_output : 1;
}

static int load_part(struct loader *l, const Onnx__NodeProto *proto, unsigned part, unsigned parts)
{
	struct nn_node *node = &l->graph->nodes[l->graph->node_count++];
	int r = nn_onnx_node(node, proto, l->opset, l->err);

	node->part = part;
	node->parts = parts;
	if (r == 0)
		r = connect_inputs(l, node, proto);
	if (r == 0)
		r = connect_outputs(l, node, proto);
	if (r == 0 && node->op->check)
		r = node->op->check(node, l->err);
	return r;
}

static int load_nodes(struct loader *l)
{
	size_t total = 0;
	int r = 0;

	for (size_t i = 0; i < l->proto->n_node && total <= NN_MAX_NODES; i++)
		total += parts_of(l->proto->node[i]);
	if (total > NN_MAX_NODES)
		return error_set(l->err, ERROR_MODEL, "more than %d nodes", NN_MAX_NODES);
	l->graph->nodes = calloc(total + 1, sizeof(*l->graph->nodes));
	if (!l->graph->nodes)
		return nn_out_of_memory(l->err);
	for (size_t i = 0; r == 0 && i < l->proto->n_node; i++) {
		const Onnx__NodeProto *proto = l->proto->node[i];
		size_t parts = parts_of(proto);

		if (is_constant(proto))
			r = load_constant(l, proto);
		for (size_t part = 0; r == 0 && part < parts && !is_constant(proto); part++)
			r = load_part(l, proto, (unsigned)part, (unsigned)parts);
	}
	return r;
}

static int load_outputs(struct loader *l)
{
	size_t count = l->proto->n_output;

	if (count == 0 || count > NN_MAX_OPERANDS)
		return error_set(l->err, ERROR_MODEL, "%zu outputs, 1 to %d are supported", count, NN_MAX_OPERANDS);
	l->graph->outputs = calloc(count, sizeof(*l->graph->outputs));
	if (!l->graph->outputs)
		return nn_out_of_memory(l->err);
	for (size_t i = 0; i < count; i++) {
		const char *name = nn_onnx_text(l->proto->output[i]->name);
		uint32_t value = nn_names_find(&l->names, name);

		if (value == NN_NO_VALUE)
			return error_set(l->err, ERROR_MODEL, "output '%.60s' comes from no node", name);
		l->graph->outputs[l->graph->output_count++].value = value;
	}
	return 0;
}

static int find_opset(int *opset, const Onnx__ModelProto *model, struct error *err)
{
	for (size_t i = 0; i < model->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *import = model->opset_import[i];

		if (!nn_onnx_is_standard_domain(import->domain))
			continue;
		if (import->version < NN_MIN_OPSET || import->version > NN_MAX_OPSET)
			return error_set(err, ERROR_MODEL, "opset %lld, %d to %d are supported",
					 (long long)import->version, NN_MIN_OPSET, NN_MAX_OPSET);
		*opset = (int)import->version;
		return 0;
	}
	return error_set(err, ERROR_MODEL, "no opset of the ONNX standard is named");
}

static int load_model(struct nn_graph *graph, const Onnx__ModelProto *model, struct error *err)
{
	struct loader l = {.graph = graph, .proto = model->graph, .err = err};

	if (!model->graph)
		return error_set(err, ERROR_MODEL, "not an ONNX file: it has no graph");
	int r = find_opset(&l.opset, model, err);
	if (r == 0)
		r = load_initializers(&l);
	if (r == 0)
		r = load_inputs(&l);
	if (r == 0)
		r = load_nodes(&l);
	if (r == 0)
		r = load_outputs(&l);
	nn_names_finish(&l.names);
	return r;
}

int nn_onnx_load(struct nn_graph *graph, const uint8_t *bytes, size_t size, struct error *err)
{
	if (size == 0 || size > NN_MAX_FILE)
		return error_set(err, ERROR_MODEL, "%zu bytes, 1 to %zu are read", size, NN_MAX_FILE);
	int r = nn_wire_check(bytes, size, err);
	if (r < 0)
		return r;
	Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, size, bytes);
	if (!model)
		return error_set(err, ERROR_MODEL, "not an ONNX file: protobuf-c cannot unpack it");
	r = load_model(graph, model, err);
	onnx__model_proto__free_unpacked(model, NULL);
	return r;
}
