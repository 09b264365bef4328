#ifndef NN_NAMES_H
#define NN_NAMES_H

#include <stdint.h>

#include "base/compiler.h"

/** Which value a name in the file stands for: an open hash table that borrows its keys. */
struct nn_names {
	struct nn_name *slots;
	uint32_t capacity; /**< a power of two */
	uint32_t count;
};

/** Returns 0, -EEXIST for a name that is there already, or -ENOMEM. */
int nn_names_add(struct nn_names *names, const char *name, uint32_t value) must_check;

/** The value of a name, or UINT32_MAX. */
uint32_t nn_names_find(const struct nn_names *names, const char *name);

void nn_names_finish(struct nn_names *names);

#endif
