#ifndef FACE_GALLERY_H
#define FACE_GALLERY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/uuid.h"

/**
 * The faces of one collection under one model, for exact search: a contiguous matrix of L2-normalised embeddings.
 * Any number of threads search while others change it (changes exclude each other): a search sees the gallery as it
 * was at one moment, and neither waits for the other. An image takes 4 bytes for each dimension (rounded up to 16)
 * and 45 more, from about 2,000 images on (on x86-64) 5 bytes and 46: a copy in 8 bits makes searches faster, see
 * face/gallery_int8.h. A user takes about 100 and the id.
 */
struct gallery;

#define GALLERY_MAX_USER_BYTES 128
#define GALLERY_MAX_TOP_K 1000
#define GALLERY_MAX_QUERIES 64
#define GALLERY_MAX_DIMENSION 4096

/** NULL when memory is out. `dimension` is 1 to GALLERY_MAX_DIMENSION. */
struct gallery *gallery_new(int dimension) must_check;

/** Nobody may be searching any more. NULL is fine. */
void gallery_free(struct gallery *gallery);

/**
 * Makes the images of `user_id` exactly these `count` (0: the user goes). `embeddings` has `count` rows of `dimension`
 * and is copied. Returns 0, -EINVAL for a number that is not finite or a user id that is too long, or -ENOMEM; then
 * nothing changed. Adding is O(1) amortised; replacing and removing cost a bit for each image of the gallery.
 */
int gallery_set_user(struct gallery *gallery, const char *user_id, unsigned count, const char (*image_ids)[UUID_SIZE],
		     const float *embeddings) must_check;

struct gallery_size {
	size_t users;
	size_t images;
	size_t bytes; /**< of the matrix and what belongs to its rows, removed images not yet compacted included */
};
struct gallery_size gallery_size(struct gallery *gallery);

struct gallery_hit {
	float similarity; /**< cosine */
	const char *user_id;
	const char *image_id;
};

/** What one thread needs for searching; reused, so that a search allocates nothing once it has grown. */
struct gallery_search;

/** NULL when memory is out. */
struct gallery_search *gallery_search_new(void) must_check;

/** Before the galleries it has searched. NULL is fine. */
void gallery_search_free(struct gallery_search *search);

/**
 * Finds the best `top_k` (1 to GALLERY_MAX_TOP_K) users for each of `count` (1 to GALLERY_MAX_QUERIES) L2-normalised
 * queries, at or above `thresholds[i]`: each user once, by the best of their images; by falling similarity, equal
 * ones by user id. All queries share one pass. Exact: found is what comparing every image in float32 finds, in an order
 * of summation that depends on neither its place nor the other queries; images that cannot get in by their copy in 8
 * bits are spared it. Returns 0 or -ENOMEM.
 */
int gallery_search_run(struct gallery_search *search, struct gallery *gallery, const float *queries, unsigned count,
		       unsigned top_k, const float *thresholds) must_check;

/** What the last run found for a query; valid until the next run, whatever becomes of the users. */
const struct gallery_hit *gallery_search_hits(const struct gallery_search *search, unsigned query, unsigned *count);

#endif
