#ifndef NN_ATTRIBUTE_H
#define NN_ATTRIBUTE_H

#include "nn/tensor.h"

/** The letter is how an operator's row in the table spells the kind. */
enum nn_attribute_kind {
	NN_ATTRIBUTE_INT = 'i',
	NN_ATTRIBUTE_FLOAT = 'f',
	NN_ATTRIBUTE_STRING = 's',
	NN_ATTRIBUTE_INTS = 'I',
	NN_ATTRIBUTE_FLOATS = 'F',
	NN_ATTRIBUTE_TENSOR = 't'
};

/** A node's setting; the field of its kind is filled, `count` only for the lists. */
struct nn_attribute {
	enum nn_attribute_kind kind;
	char *name;
	size_t count;
	int64_t i;
	float f;
	char *s;
	int64_t *ints;
	float *floats;
	struct nn_tensor *tensor;
};

void nn_attribute_finish(struct nn_attribute *attribute);

/** True if `table` ("alpha:f axis:i") lists this name with this kind. */
bool nn_attribute_listed(const struct nn_attribute *attribute, const char *table);

#endif
