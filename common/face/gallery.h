#ifndef FACE_GALLERY_H
#define FACE_GALLERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uuid.h"

/**
 * The faces of one collection under one model, for exact search: a contiguous matrix of L2-normalised embeddings.
 * Any number of threads search while one changes it (changes exclude each other by a lock of their own): a search sees
 * the gallery as it was at one moment and is never made to wait for a change, nor a change for a search.
 */
struct gallery;

#define GALLERY_MAX_USER_BYTES 128
#define GALLERY_MAX_TOP_K 1000
#define GALLERY_MAX_QUERIES 64

/** NULL when memory is out. */
struct gallery *gallery_new(int dimension) must_check;
void gallery_free(struct gallery *gallery);

/**
 * Makes the images of `user_id` exactly these `count` (0: the user goes). `embeddings` has `count` rows of `dimension`
 * and is copied. Returns 0 or -ENOMEM (nothing changed).
 */
int gallery_set_user(struct gallery *gallery, const char *user_id, unsigned count, const char (*image_ids)[UUID_SIZE],
		     const float *embeddings) must_check;

struct gallery_hit {
	float similarity;    /**< cosine */
	const char *user_id; /**< valid until the results are cleared */
	char image_id[UUID_SIZE];
};

/** What one thread needs for searching; reused, so that a search allocates nothing once it has grown. */
struct gallery_search;
struct gallery_search *gallery_search_new(void) must_check;
void gallery_search_free(struct gallery_search *search);

/**
 * The best `top_k` users of each of `queries` L2-normalised embeddings, at or above `thresholds[i]`: each user once, by
 * the best of their images; by falling similarity, ties by user id. hits(search, i, &count) has them until the next
 * run. Exact: the same users as comparing every row in float32.
 */
int gallery_search_run(struct gallery_search *search, struct gallery *gallery, const float *queries, unsigned count,
		       unsigned top_k, const float *thresholds) must_check;
const struct gallery_hit *gallery_search_hits(const struct gallery_search *search, unsigned query, unsigned *count);

struct gallery_size {
	size_t users;
	size_t images;
	size_t bytes;
};
struct gallery_size gallery_size(struct gallery *gallery);

#endif
