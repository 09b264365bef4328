#include "nn/shape.h"

#include <stdio.h>

int64_t nn_shape_count(const struct nn_shape *shape)
{
	return nn_shape_span(shape, 0, shape->rank);
}

int64_t nn_shape_span(const struct nn_shape *shape, int first, int end)
{
	int64_t count = 1;

	for (int i = first; i < end; i++)
		count *= shape->dim[i];
	return count;
}

bool nn_shape_valid(const struct nn_shape *shape)
{
	int64_t count = 1;

	if (shape->rank < 0 || shape->rank > NN_MAX_RANK)
		return false;
	for (int i = 0; i < shape->rank; i++) {
		int64_t dim = shape->dim[i];

		if (dim < 0 || dim > NN_MAX_ELEMENTS)
			return false;
		/* A zero elsewhere must not hide sizes whose product overflows in a span. */
		int64_t factor = dim > 0 ? dim : 1;
		if (count > NN_MAX_ELEMENTS / factor)
			return false;
		count *= factor;
	}
	return true;
}

bool nn_shape_equal(const struct nn_shape *a, const struct nn_shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++) {
		if (a->dim[i] != b->dim[i])
			return false;
	}
	return true;
}

bool nn_shape_broadcast(const struct nn_shape *a, const struct nn_shape *b, struct nn_shape *out)
{
	struct nn_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};

	for (int i = 0; i < result.rank; i++) {
		int from_a = i - (result.rank - a->rank);
		int from_b = i - (result.rank - b->rank);
		int64_t dim_a = from_a < 0 ? 1 : a->dim[from_a];
		int64_t dim_b = from_b < 0 ? 1 : b->dim[from_b];

		if (dim_a != dim_b && dim_a != 1 && dim_b != 1)
			return false;
		result.dim[i] = dim_a == 1 ? dim_b : dim_a;
	}
	*out = result;
	return true;
}

bool nn_shape_axis(const struct nn_shape *shape, int64_t *axis)
{
	if (*axis < -shape->rank || *axis >= shape->rank)
		return false;
	if (*axis < 0)
		*axis += shape->rank;
	return true;
}

const char *nn_shape_format(const struct nn_shape *shape, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "scalar");
	for (int i = 0; i < shape->rank && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : "", (long long)shape->dim[i]);
	return text;
}
