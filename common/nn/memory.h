#ifndef NN_MEMORY_H
#define NN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** A buffer that is needed from step `first` to step `last`, both included. */
struct nn_buffer {
	size_t size; /**< bytes, a multiple of NN_ALIGNMENT */
	unsigned first;
	unsigned last;
	size_t offset; /**< found by nn_memory_place() */
};

/**
 * Places buffers in one arena so that no two overlap that are needed at the same time: largest
 * first, each at the lowest free offset (greedy by size, Pisarchyk and Lee, "Efficient memory
 * management for deep neural net inference", 2020). `arena` becomes the size of the arena.
 * Returns 0 or -ENOMEM.
 */
int nn_memory_place(struct nn_buffer *buffers, size_t count, size_t *arena) must_check;

#endif
