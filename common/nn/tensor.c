#include "nn/tensor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

size_t nn_type_size(enum nn_type type)
{
	return type == NN_FLOAT32 ? sizeof(float) : sizeof(int64_t);
}

size_t nn_align(size_t bytes)
{
	return (bytes + NN_ALIGNMENT - 1) / NN_ALIGNMENT * NN_ALIGNMENT;
}

struct nn_tensor *nn_tensor_new(enum nn_type type, const struct nn_shape *shape)
{
	struct nn_tensor *tensor = calloc(1, sizeof(*tensor));

	assert(nn_shape_valid(shape));
	if (!tensor)
		return NULL;
	size_t size = nn_align((size_t)nn_shape_count(shape) * nn_type_size(type) + NN_SLACK);
	tensor->type = type;
	tensor->shape = *shape;
	tensor->data = aligned_alloc(NN_ALIGNMENT, size);
	if (!tensor->data) {
		free(tensor);
		return NULL;
	}
	memset(tensor->data, 0, size);
	return tensor;
}

void nn_tensor_free(struct nn_tensor *tensor)
{
	if (!tensor)
		return;
	free(tensor->data);
	free(tensor);
}

struct nn_tensor *nn_tensor_reshaped(const struct nn_tensor *tensor, const struct nn_shape *shape)
{
	struct nn_tensor *copy = nn_tensor_new(tensor->type, shape);
	int64_t count = nn_shape_count(shape);

	assert(count == nn_shape_count(&tensor->shape));
	if (copy && count > 0)
		memcpy(copy->data, tensor->data, (size_t)count * nn_type_size(tensor->type));
	return copy;
}
