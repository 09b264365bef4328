#include "nn/memory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static int by_falling_size(const void *a, const void *b)
{
	const struct nn_buffer *left = *(struct nn_buffer *const *)a;
	const struct nn_buffer *right = *(struct nn_buffer *const *)b;

	if (left->size != right->size)
		return left->size < right->size ? 1 : -1;
	return left < right ? -1 : 1;
}

static bool meet(const struct nn_buffer *a, const struct nn_buffer *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* `placed` is sorted by offset. The first gap between those that live at the same time wins. */
static size_t lowest_offset(struct nn_buffer *const *placed, size_t count, const struct nn_buffer *buffer)
{
	size_t offset = 0;

	for (size_t i = 0; i < count; i++) {
		if (!meet(placed[i], buffer))
			continue;
		if (placed[i]->offset >= offset && placed[i]->offset - offset >= buffer->size)
			break;
		if (placed[i]->offset + placed[i]->size > offset)
			offset = placed[i]->offset + placed[i]->size;
	}
	return offset;
}

static void insert(struct nn_buffer **placed, size_t count, struct nn_buffer *buffer)
{
	size_t at = count;

	for (; at > 0 && placed[at - 1]->offset > buffer->offset; at--)
		placed[at] = placed[at - 1];
	placed[at] = buffer;
}

int nn_memory_place(struct nn_buffer *buffers, size_t count, size_t *arena)
{
	struct nn_buffer **order = calloc(2 * count + 1, sizeof(struct nn_buffer *));
	struct nn_buffer **placed = order + count;
	size_t end = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i] = &buffers[i];
	qsort(order, count, sizeof(struct nn_buffer *), by_falling_size);
	for (size_t i = 0; i < count; i++) {
		order[i]->offset = lowest_offset(placed, i, order[i]);
		insert(placed, i, order[i]);
		if (order[i]->offset + order[i]->size > end)
			end = order[i]->offset + order[i]->size;
	}
	free(order);
	*arena = end;
	return 0;
}
