#include "nn/onnx_node.h"

#include <stdlib.h>
#include <string.h>

#include "nn/onnx_tensor.h"
#include "nn/operator.h"

/* Longest list of numbers an attribute may have; what is larger is a tensor. */
#define MAX_LIST 4096

const char *nn_onnx_text(const char *text)
{
	return text ? text : "";
}

char *nn_onnx_name(const char *name)
{
	char *copy = strdup(nn_onnx_text(name));

	for (char *at = copy; at && *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return copy;
}

bool nn_onnx_is_standard_domain(const char *domain)
{
	return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static void *copy_list(const void *list, size_t count, size_t size)
{
	void *copy = malloc(count > 0 ? count * size : 1);

	if (copy && count > 0)
		memcpy(copy, list, count * size);
	return copy;
}

static int fill_attribute(struct nn_attribute *out, const Onnx__AttributeProto *proto, struct error *err)
{
	void *copy = out; /* anything but NULL: nothing to allocate */

	switch ((int)proto->type) {
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
		out->kind = NN_ATTRIBUTE_INT;
		out->i = proto->i;
		break;
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
		out->kind = NN_ATTRIBUTE_FLOAT;
		out->f = proto->f;
		break;
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
		out->kind = NN_ATTRIBUTE_STRING;
		copy = out->s = strndup(proto->s.len ? (const char *)proto->s.data : "", proto->s.len);
		break;
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
		out->kind = NN_ATTRIBUTE_INTS;
		out->count = proto->n_ints;
		if (out->count <= MAX_LIST)
			copy = out->ints = copy_list(proto->ints, out->count, sizeof(*out->ints));
		break;
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
		out->kind = NN_ATTRIBUTE_FLOATS;
		out->count = proto->n_floats;
		if (out->count <= MAX_LIST)
			copy = out->floats = copy_list(proto->floats, out->count, sizeof(*out->floats));
		break;
	case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
		out->kind = NN_ATTRIBUTE_TENSOR;
		if (!proto->t)
			return error_set(err, ERROR_MODEL, "the tensor is missing");
		return nn_onnx_tensor(&out->tensor, proto->t, err);
	default:
		return error_set(err, ERROR_MODEL, "attributes of kind %d are not supported", (int)proto->type);
	}
	if (out->count > MAX_LIST)
		return error_set(err, ERROR_MODEL, "a list of %zu numbers, at most %d are read", out->count, MAX_LIST);
	return copy ? 0 : nn_out_of_memory(err);
}

int nn_onnx_attribute(struct nn_attribute *out, const Onnx__AttributeProto *proto, struct error *err)
{
	*out = (struct nn_attribute){.name = nn_onnx_name(proto->name)};
	int r = out->name ? fill_attribute(out, proto, err) : nn_out_of_memory(err);

	if (r < 0) {
		error_prefix(err, "attribute '%.40s'", nn_onnx_text(out->name));
		nn_attribute_finish(out);
	}
	return r;
}

static int fill_node(struct nn_node *node, const Onnx__NodeProto *proto, struct error *err)
{
	if (proto->n_attribute == 0)
		return 0;
	node->attributes = calloc(proto->n_attribute, sizeof(*node->attributes));
	if (!node->attributes)
		return nn_out_of_memory(err);
	for (size_t i = 0; i < proto->n_attribute; i++) {
		struct nn_attribute *attribute = &node->attributes[i];
		struct error why = {0};

		if (nn_onnx_attribute(attribute, proto->attribute[i], &why) < 0)
			return nn_node_fail(node, err, "%s", why.text);
		node->attribute_count++;
		if (!nn_attribute_listed(attribute, node->op->attributes))
			return nn_node_fail(node, err, "attribute '%.40s' is unknown or of the wrong kind",
					    attribute->name);
	}
	return 0;
}

int nn_onnx_node(struct nn_node *node, const Onnx__NodeProto *proto, int opset, struct error *err)
{
	bool is_named = *nn_onnx_text(proto->name) || proto->n_output == 0;
	*node = (struct nn_node){.name = nn_onnx_name(is_named ? proto->name : proto->output[0]), .opset = opset};
	if (!node->name)
		return nn_out_of_memory(err);
	node->op = nn_onnx_is_standard_domain(proto->domain) ? nn_operator_find(nn_onnx_text(proto->op_type)) : NULL;
	if (!node->op) {
		char *type = nn_onnx_name(proto->op_type);

		error_set(err, ERROR_MODEL, "node '%.60s': operator '%.40s' is not supported", node->name,
			  nn_onnx_text(type));
		free(type);
		return error_errno(err);
	}
	return fill_node(node, proto, err);
}

static int scalar_or_list(struct nn_tensor **out, const struct nn_attribute *a, struct error *err)
{
	bool is_list = a->kind == NN_ATTRIBUTE_INTS || a->kind == NN_ATTRIBUTE_FLOATS;
	bool is_int = a->kind == NN_ATTRIBUTE_INT || a->kind == NN_ATTRIBUTE_INTS;
	struct nn_shape shape = {.rank = is_list, .dim = {(int64_t)a->count}};
	struct nn_tensor *tensor = nn_tensor_new(is_int ? NN_INT64 : NN_FLOAT32, &shape);

	if (!tensor)
		return nn_out_of_memory(err);
	if (a->kind == NN_ATTRIBUTE_INT)
		tensor->i64[0] = a->i;
	else if (a->kind == NN_ATTRIBUTE_FLOAT)
		tensor->f32[0] = a->f;
	else if (a->count > 0)
		memcpy(tensor->data, is_int ? (const void *)a->ints : (const void *)a->floats,
		       a->count * nn_type_size(tensor->type));
	*out = tensor;
	return 0;
}

int nn_onnx_constant(struct nn_tensor **out, const Onnx__NodeProto *proto, struct error *err)
{
	static const char known[] = "value:t value_float:f value_floats:F value_int:i value_ints:I";
	struct nn_attribute attribute;

	if (proto->n_attribute != 1)
		return error_set(err, ERROR_MODEL, "%zu attributes instead of one", proto->n_attribute);
	int r = nn_onnx_attribute(&attribute, proto->attribute[0], err);
	if (r < 0)
		return r;
	if (!nn_attribute_listed(&attribute, known)) {
		r = error_set(err, ERROR_MODEL, "attribute '%.40s' is not supported", attribute.name);
	} else if (attribute.kind == NN_ATTRIBUTE_TENSOR) {
		*out = attribute.tensor;
		attribute.tensor = NULL;
	} else {
		r = scalar_or_list(out, &attribute, err);
	}
	nn_attribute_finish(&attribute);
	return r;
}
