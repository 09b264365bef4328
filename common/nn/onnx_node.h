#ifndef NN_ONNX_NODE_H
#define NN_ONNX_NODE_H

#include "nn/graph.h"
#include "onnx.pb-c.h"

/**
 * Fills in operator, name (of the first output if it has none), opset and attributes of an empty node (to be finished
 * by the caller in any case), not its operands. Refuses unknown operators and domains, and attributes that the
 * operator's row does not list.
 */
int nn_onnx_node(struct nn_node *node, const Onnx__NodeProto *proto, int opset, struct error *err) must_check;

/** Copies an attribute; graphs and other exotic kinds are refused. */
int nn_onnx_attribute(struct nn_attribute *out, const Onnx__AttributeProto *proto, struct error *err) must_check;

/** The tensor that a Constant node stands for. */
int nn_onnx_constant(struct nn_tensor **out, const Onnx__NodeProto *proto, struct error *err) must_check;

/** True for the operators of the ONNX standard itself. */
bool nn_onnx_is_standard_domain(const char *domain);

/** A copy of a name from the file that can stand in a message: printable ASCII and UTF-8 bytes only. */
char *nn_onnx_name(const char *name);

/** protobuf-c's strings are NULL where the file has none. */
const char *nn_onnx_text(const char *text);

#endif
