#include "builder.h"

#include <stdlib.h>
#include <string.h>

void builder_init(struct builder *b, int opset, size_t rank, const int64_t *dims)
{
	memset(b, 0, sizeof(*b));
	onnx__model_proto__init(&b->model);
	onnx__graph_proto__init(&b->graph);
	onnx__operator_set_id_proto__init(&b->opset);
	onnx__value_info_proto__init(&b->input);
	onnx__type_proto__init(&b->type);
	onnx__type_proto__tensor__init(&b->tensor_type);
	onnx__tensor_shape_proto__init(&b->shape);
	b->opset.has_version = 1;
	b->opset.version = opset;
	b->opset.domain = (char *)"";
	b->opsets[0] = &b->opset;
	b->model.n_opset_import = 1;
	b->model.opset_import = b->opsets;
	b->model.graph = &b->graph;
	for (size_t i = 0; i < rank; i++) {
		onnx__tensor_shape_proto__dimension__init(&b->dims[i]);
		b->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		b->dims[i].dim_value = dims[i];
		b->dim_list[i] = &b->dims[i];
	}
	b->shape.n_dim = rank;
	b->shape.dim = b->dim_list;
	b->tensor_type.has_elem_type = 1;
	b->tensor_type.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	b->tensor_type.shape = &b->shape;
	b->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	b->type.tensor_type = &b->tensor_type;
	b->input.name = (char *)"x";
	b->input.type = &b->type;
	b->inputs[0] = &b->input;
	b->graph.n_input = 1;
	b->graph.input = b->inputs;
	b->graph.node = b->node_list;
	b->graph.initializer = b->tensor_list;
	b->graph.output = b->output_list;
}

static Onnx__TensorProto *add_tensor(struct builder *b, const char *name, size_t rank, int64_t *dims)
{
	Onnx__TensorProto *tensor = &b->tensors[b->graph.n_initializer];

	onnx__tensor_proto__init(tensor);
	tensor->name = (char *)name;
	tensor->n_dims = rank;
	tensor->dims = dims;
	tensor->has_data_type = 1;
	b->tensor_list[b->graph.n_initializer++] = tensor;
	return tensor;
}

void builder_floats(struct builder *b, const char *name, size_t rank, int64_t *dims, float *data)
{
	Onnx__TensorProto *tensor = add_tensor(b, name, rank, dims);

	tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	tensor->n_float_data = 1;
	for (size_t i = 0; i < rank; i++)
		tensor->n_float_data *= (size_t)dims[i];
	tensor->float_data = data;
}

void builder_ints(struct builder *b, const char *name, size_t count, int64_t *data)
{
	Onnx__TensorProto *tensor = add_tensor(b, name, 0, NULL);
	int64_t *dims = malloc(sizeof(*dims));

	*dims = (int64_t)count;
	tensor->n_dims = 1;
	tensor->dims = dims;
	tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
	tensor->n_int64_data = count;
	tensor->int64_data = data;
}

void builder_node(struct builder *b, const char *type, const char *inputs, const char *output)
{
	size_t index = b->graph.n_node++;
	Onnx__NodeProto *node = &b->nodes[index];
	char *list = strdup(inputs);
	char *rest = NULL;

	onnx__node_proto__init(node);
	node->op_type = (char *)type;
	node->name = (char *)output;
	node->input = b->names[index];
	for (char *name = strtok_r(list, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		node->input[node->n_input++] = strdup(strcmp(name, "-") == 0 ? "" : name);
	free(list);
	node->n_output = 1;
	node->output = &b->names[index][7];
	node->output[0] = (char *)output;
	node->attribute = b->attribute_lists[index];
	b->node_list[index] = node;
}

static Onnx__AttributeProto *add_attribute(struct builder *b, const char *name,
					   Onnx__AttributeProto__AttributeType type)
{
	size_t index = b->graph.n_node - 1;
	Onnx__NodeProto *node = &b->nodes[index];
	Onnx__AttributeProto *attribute = &b->attributes[index][node->n_attribute];

	onnx__attribute_proto__init(attribute);
	attribute->name = (char *)name;
	attribute->has_type = 1;
	attribute->type = type;
	node->attribute[node->n_attribute++] = attribute;
	return attribute;
}

void builder_int(struct builder *b, const char *name, int64_t value)
{
	Onnx__AttributeProto *attribute = add_attribute(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

	attribute->has_i = 1;
	attribute->i = value;
}

void builder_float(struct builder *b, const char *name, float value)
{
	Onnx__AttributeProto *attribute = add_attribute(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

	attribute->has_f = 1;
	attribute->f = value;
}

void builder_string(struct builder *b, const char *name, const char *value)
{
	Onnx__AttributeProto *attribute = add_attribute(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

	attribute->has_s = 1;
	attribute->s.data = (uint8_t *)value;
	attribute->s.len = strlen(value);
}

void builder_list(struct builder *b, const char *name, size_t count, int64_t *values)
{
	Onnx__AttributeProto *attribute = add_attribute(b, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

	attribute->n_ints = count;
	attribute->ints = values;
}

void builder_output(struct builder *b, const char *name)
{
	Onnx__ValueInfoProto *output = &b->outputs[b->graph.n_output];

	onnx__value_info_proto__init(output);
	output->name = (char *)name;
	b->output_list[b->graph.n_output++] = output;
}

struct buffer builder_write(struct builder *b)
{
	size_t size = onnx__model_proto__get_packed_size(&b->model);
	struct buffer file = {.data = malloc(size), .size = size, .capacity = size};

	onnx__model_proto__pack(&b->model, file.data);
	return file;
}

void builder_finish(struct builder *b)
{
	for (size_t i = 0; i < b->graph.n_node; i++) {
		for (size_t k = 0; k < b->nodes[i].n_input; k++)
			free(b->nodes[i].input[k]);
	}
	for (size_t i = 0; i < b->graph.n_initializer; i++) {
		if (b->tensors[i].data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
			free(b->tensors[i].dims);
	}
}
