#include "nn/onnx_tensor.h"

#include <string.h>

#include "nn/graph.h"

static int read_shape(struct nn_shape *shape, const Onnx__TensorProto *proto, struct error *err)
{
	if (proto->n_dims > NN_MAX_RANK)
		return error_set(err, ERROR_MODEL, "rank %zu, at most %d is supported", proto->n_dims, NN_MAX_RANK);
	*shape = (struct nn_shape){.rank = (int)proto->n_dims};
	for (size_t i = 0; i < proto->n_dims; i++)
		shape->dim[i] = proto->dims[i];
	if (!nn_shape_valid(shape))
		return error_set(err, ERROR_MODEL, "impossible shape");
	return 0;
}

/* Bytes of one element in raw_data, 0 for types that are not supported. */
static size_t raw_size(int32_t data_type)
{
	switch (data_type) {
	case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
	case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
		return 4;
	case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
		return 8;
	case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
		return 1;
	default:
		return 0;
	}
}

static size_t listed_count(const Onnx__TensorProto *proto)
{
	if (proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
		return proto->n_float_data;
	if (proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
		return proto->n_int64_data;
	return proto->n_int32_data;
}

static int64_t raw_integer(const uint8_t *at, size_t size)
{
	int32_t narrow;
	int64_t wide;

	if (size == 1)
		return *at;
	if (size == 4) {
		memcpy(&narrow, at, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

static void copy_raw(struct nn_tensor *tensor, const uint8_t *raw, size_t count, size_t size)
{
	if (tensor->type == NN_FLOAT32) {
		memcpy(tensor->f32, raw, count * size);
		return;
	}
	for (size_t i = 0; i < count; i++)
		tensor->i64[i] = raw_integer(raw + i * size, size);
}

static void copy_listed(struct nn_tensor *tensor, const Onnx__TensorProto *proto, size_t count)
{
	if (tensor->type == NN_FLOAT32)
		memcpy(tensor->f32, proto->float_data, count * sizeof(float));
	else if (proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
		memcpy(tensor->i64, proto->int64_data, count * sizeof(int64_t));
	else
		for (size_t i = 0; i < count; i++)
			tensor->i64[i] = proto->int32_data[i];
}

static bool is_external(const Onnx__TensorProto *proto)
{
	return proto->n_external_data > 0 ||
	       (proto->has_data_location && proto->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT);
}

int nn_onnx_tensor(struct nn_tensor **out, const Onnx__TensorProto *proto, struct error *err)
{
	size_t size = raw_size(proto->data_type);
	struct nn_shape shape;

	if (is_external(proto))
		return error_set(err, ERROR_MODEL, "external data is refused: put the weights into the file");
	if (size == 0 || proto->segment)
		return error_set(err, ERROR_MODEL, "data type %d is not supported", (int)proto->data_type);
	int r = read_shape(&shape, proto, err);
	if (r < 0)
		return r;
	size_t count = (size_t)nn_shape_count(&shape);
	bool fits = proto->has_raw_data ? proto->raw_data.len == count * size : listed_count(proto) == count;
	if (!fits)
		return error_set(err, ERROR_MODEL, "the data does not fill its shape of %zu elements", count);

	bool is_float = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	struct nn_tensor *tensor = nn_tensor_new(is_float ? NN_FLOAT32 : NN_INT64, &shape);
	if (!tensor)
		return nn_out_of_memory(err);
	if (count > 0 && proto->has_raw_data)
		copy_raw(tensor, proto->raw_data.data, count, size);
	else if (count > 0)
		copy_listed(tensor, proto, count);
	*out = tensor;
	return 0;
}
