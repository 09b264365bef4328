#ifndef FACE_GALLERY_ROWS_H
#define FACE_GALLERY_ROWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uuid.h"

/*
 * The rows of a gallery, as readers share them. A store only ever grows behind what is visible: a view says how much
 * of it is, and which rows are gone. Both are counted; who holds a view holds its store.
 */

/** A user's id; where it lies tells users of one store apart. */
struct gallery_name {
	struct gallery_name *next; /**< of the store's */
	char id[];
};

struct gallery_store {
	atomic_uint holders;
	size_t stride; /**< floats from a row to the next */
	size_t capacity;
	float *rows;
	uint8_t *codes; /**< of each whole block of rows, see gallery_int8.h; NULL: there is no copy in 8 bits */
	struct gallery_block *blocks;
	const struct gallery_name **owners; /**< of each row */
	char (*image_ids)[UUID_SIZE];
	struct gallery_name *names; /**< of everybody who ever had a row here; only the writer looks */
};

struct gallery_view {
	atomic_uint holders;
	struct gallery_store *store;
	size_t count;   /**< rows that can be seen */
	size_t removed; /**< of these */
	uint64_t *gone; /**< a bit for each row of the capacity; NULL: none */
};

/** Adds a name to a store; NULL when memory is out. It lives as long as the store. */
const struct gallery_name *gallery_store_name(struct gallery_store *store, const char *id) must_check;

size_t gallery_store_bytes(const struct gallery_store *store);

/** An empty store, with or without a copy in 8 bits, and a view of it; NULL when memory is out. */
struct gallery_view *gallery_view_new(size_t stride, size_t capacity, bool with_codes) must_check;

/** Another view of the same store, whose `gone` is its own copy if `with_bits`; NULL when memory is out. */
struct gallery_view *gallery_view_next(const struct gallery_view *view, bool with_bits) must_check;

void gallery_view_hold(struct gallery_view *view);
void gallery_view_drop(struct gallery_view *view);

static inline bool gallery_view_is_gone(const struct gallery_view *view, size_t row)
{
	return view->gone && (view->gone[row / 64] >> (row % 64) & 1) != 0;
}

#endif
