#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include "nn/shape.h"

/** Every tensor and arena starts at a multiple of this many bytes. */
#define NN_ALIGNMENT 64

/**
 * Readable bytes behind the last element of every buffer that kernels read: they load whole
 * vectors (and one more) from a position inside.
 */
#define NN_SLACK 256

/** What constants are kept as: float32, or int64 for everything integral (shapes, axes, flags). */
enum nn_type { NN_FLOAT32, NN_INT64 };

/** A constant of the graph. Zero elements are legal; `data` is never NULL until released. */
struct nn_tensor {
	enum nn_type type;
	struct nn_shape shape;
	union {
		void *data;
		float *f32;
		int64_t *i64;
	};
};

/** Room for `shape`, zeroed, with NN_SLACK behind it. NULL without memory. The shape must be valid. */
struct nn_tensor *nn_tensor_new(enum nn_type type, const struct nn_shape *shape);
void nn_tensor_free(struct nn_tensor *tensor);

/** Same elements under another shape of the same count. NULL without memory. */
struct nn_tensor *nn_tensor_reshaped(const struct nn_tensor *tensor, const struct nn_shape *shape);

/** Bytes of one element. */
size_t nn_type_size(enum nn_type type);

/** Rounds a size in bytes up to NN_ALIGNMENT. */
size_t nn_align(size_t bytes);

#endif
