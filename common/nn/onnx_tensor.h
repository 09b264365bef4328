#ifndef NN_ONNX_TENSOR_H
#define NN_ONNX_TENSOR_H

#include "nn/tensor.h"
#include "onnx.pb-c.h"

/**
 * Copies a TensorProto of type float32, int32, int64 or bool (the latter three become int64).
 * Refuses other types, external data, segments, and data that does not fill the shape exactly, so
 * nothing is allocated that is not in the file. Errors carry no name of the tensor: the caller
 * prefixes it.
 */
int nn_onnx_tensor(struct nn_tensor **out, const Onnx__TensorProto *proto, struct error *err) must_check;

#endif
