#ifndef NN_SHAPE_H
#define NN_SHAPE_H

#include <stdbool.h>

#include "nn/nn.h"

/** No tensor has more elements; keeps every size in bytes far from overflow. */
#define NN_MAX_ELEMENTS ((int64_t)1 << 33)

/** True if every size is 0 … NN_MAX_ELEMENTS, and so is their product. */
bool nn_shape_valid(const struct nn_shape *shape);

/** True if rank and all sizes agree. */
bool nn_shape_equal(const struct nn_shape *a, const struct nn_shape *b);

/** Product of the sizes from `first` up to, not including, `end`. */
int64_t nn_shape_span(const struct nn_shape *shape, int first, int end);

/** The shape both broadcast to (ONNX multidirectional rule). False if they do not fit. */
bool nn_shape_broadcast(const struct nn_shape *a, const struct nn_shape *b, struct nn_shape *out);

/** Makes `axis` (-rank … rank-1) count from the front. False if it is out of range. */
bool nn_shape_axis(const struct nn_shape *shape, int64_t *axis);

/** "1x3x112x112" (and "scalar") for messages; cut at `size`. Returns `text`. */
const char *nn_shape_format(const struct nn_shape *shape, char *text, size_t size);

/** Bytes that hold the text of any shape of reasonable size. */
#define NN_SHAPE_TEXT 80

#endif
