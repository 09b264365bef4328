#ifndef UNIT_NN_BUILDER_H
#define UNIT_NN_BUILDER_H

#include <stdint.h>

#include "base/buffer.h"
#include "onnx.pb-c.h"

#define BUILDER_MAX 32

/**
 * Writes small ONNX files for tests: fill a `struct builder` with builder_*(), then call
 * builder_write(). All pointers given stay the caller's and must live until then.
 */
struct builder {
	Onnx__ModelProto model;
	Onnx__GraphProto graph;
	Onnx__OperatorSetIdProto opset;
	Onnx__OperatorSetIdProto *opsets[1];
	Onnx__NodeProto nodes[BUILDER_MAX];
	Onnx__NodeProto *node_list[BUILDER_MAX];
	char *names[BUILDER_MAX][8];
	Onnx__AttributeProto attributes[BUILDER_MAX][8];
	Onnx__AttributeProto *attribute_lists[BUILDER_MAX][8];
	Onnx__TensorProto tensors[BUILDER_MAX];
	Onnx__TensorProto *tensor_list[BUILDER_MAX];
	Onnx__ValueInfoProto input;
	Onnx__ValueInfoProto *inputs[1];
	Onnx__TypeProto type;
	Onnx__TypeProto__Tensor tensor_type;
	Onnx__TensorShapeProto shape;
	Onnx__TensorShapeProto__Dimension dims[8];
	Onnx__TensorShapeProto__Dimension *dim_list[8];
	Onnx__ValueInfoProto outputs[BUILDER_MAX];
	Onnx__ValueInfoProto *output_list[BUILDER_MAX];
};

/** An empty model with one float input "x"; sizes of -1 are open. */
void builder_init(struct builder *b, int opset, size_t rank, const int64_t *dims);

/** Adds an initializer. */
void builder_floats(struct builder *b, const char *name, size_t rank, int64_t *dims, float *data);
void builder_ints(struct builder *b, const char *name, size_t count, int64_t *data);

/** Adds a node; `inputs` is a list of names with spaces between, "-" for one that is left out. */
void builder_node(struct builder *b, const char *type, const char *inputs, const char *output);

/** Adds an attribute to the last node. */
void builder_int(struct builder *b, const char *name, int64_t value);
void builder_float(struct builder *b, const char *name, float value);
void builder_string(struct builder *b, const char *name, const char *value);
void builder_list(struct builder *b, const char *name, size_t count, int64_t *values);

/** Names an output of the graph. */
void builder_output(struct builder *b, const char *name);

/** The file. Finish the buffer; the builder can be changed and written again. */
struct buffer builder_write(struct builder *b);

void builder_finish(struct builder *b);

#endif
