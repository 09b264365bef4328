#include "face/gallery_rows.h"

#include <stdlib.h>
#include <string.h>

#include "face/gallery_int8.h"

/** Of the matrix: a row never crosses a cache line it need not. */
#define ALIGNMENT 64

static size_t bits_size(size_t capacity)
{
	return (capacity + 63) / 64 * sizeof(uint64_t);
}

static void store_free(struct gallery_store *store)
{
	while (store->names) {
		struct gallery_name *next = store->names->next;

		free(store->names);
		store->names = next;
	}
	free(store->rows);
	free(store->codes);
	free(store->blocks);
	free(store->owners);
	free(store->image_ids);
	free(store);
}

static struct gallery_store *store_new(size_t stride, size_t capacity, bool with_codes)
{
	struct gallery_store *store = calloc(1, sizeof(*store));
	size_t blocks = (capacity + GALLERY_BLOCK - 1) / GALLERY_BLOCK;

	if (!store)
		return NULL;
	atomic_init(&store->holders, 1);
	store->stride = stride;
	store->capacity = capacity;
	store->rows = aligned_alloc(ALIGNMENT, capacity * stride * sizeof(float));
	store->owners = malloc(capacity * sizeof(*store->owners));
	store->image_ids = malloc(capacity * sizeof(*store->image_ids));
	if (with_codes) {
		store->codes = aligned_alloc(ALIGNMENT, blocks * GALLERY_BLOCK * stride);
		store->blocks = malloc(blocks * sizeof(*store->blocks));
	}
	if (!store->rows || !store->owners || !store->image_ids || (with_codes && (!store->codes || !store->blocks))) {
		store_free(store);
		return NULL;
	}
	return store;
}

static void store_drop(struct gallery_store *store)
{
	if (atomic_fetch_sub_explicit(&store->holders, 1, memory_order_acq_rel) == 1)
		store_free(store);
}

const struct gallery_name *gallery_store_name(struct gallery_store *store, const char *id)
{
	size_t size = strlen(id) + 1;
	struct gallery_name *name = malloc(sizeof(*name) + size);

	if (!name)
		return NULL;
	memcpy(name->id, id, size);
	name->next = store->names;
	store->names = name;
	return name;
}

size_t gallery_store_bytes(const struct gallery_store *store)
{
	size_t row = store->stride * sizeof(float) + sizeof(*store->owners) + sizeof(*store->image_ids);

	if (store->codes)
		row += store->stride + sizeof(*store->blocks) / GALLERY_BLOCK;
	return store->capacity * row;
}

struct gallery_view *gallery_view_new(size_t stride, size_t capacity, bool with_codes)
{
	struct gallery_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->store = store_new(stride, capacity, with_codes);
	if (!view->store) {
		free(view);
		return NULL;
	}
	atomic_init(&view->holders, 1);
	return view;
}

struct gallery_view *gallery_view_next(const struct gallery_view *view, bool with_bits)
{
	struct gallery_view *next = calloc(1, sizeof(*next));
	size_t size = bits_size(view->store->capacity);

	if (!next)
		return NULL;
	atomic_init(&next->holders, 1);
	next->store = view->store;
	next->count = view->count;
	next->removed = view->removed;
	if (with_bits || view->gone) {
		next->gone = calloc(1, size);
		if (!next->gone) {
			free(next);
			return NULL;
		}
		if (view->gone)
			memcpy(next->gone, view->gone, size);
	}
	atomic_fetch_add_explicit(&next->store->holders, 1, memory_order_relaxed);
	return next;
}

void gallery_view_hold(struct gallery_view *view)
{
	atomic_fetch_add_explicit(&view->holders, 1, memory_order_relaxed);
}

void gallery_view_drop(struct gallery_view *view)
{
	if (!view || atomic_fetch_sub_explicit(&view->holders, 1, memory_order_acq_rel) != 1)
		return;
	store_drop(view->store);
	free(view->gone);
	free(view);
}
