#ifndef NN_ONNX_LOAD_H
#define NN_ONNX_LOAD_H

#include "nn/graph.h"

/** Opsets of the default domain whose meaning the operators know. */
#define NN_MIN_OPSET 9
#define NN_MAX_OPSET 18

/** Files above this size are not even looked at. */
#define NN_MAX_FILE ((size_t)512 << 20)

/**
 * Reads an ONNX file into `graph` (zero-initialised; to be finished by the caller in any case): every node's
 * operator is in the table, its operands are there before it, its attributes are known and of the
 * right kind. Constant nodes become constant values. ERROR_MODEL otherwise.
 */
int nn_onnx_load(struct nn_graph *graph, const uint8_t *bytes, size_t size, struct error *err) must_check;

#endif
