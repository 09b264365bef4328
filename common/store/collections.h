#ifndef STORE_COLLECTIONS_H
#define STORE_COLLECTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/people.h"
#include "store/store.h"

/* Enrolled people seen from a distance: what an operator lists, re-embeds, carries to another store, or erases. */

struct collection_summary {
	const char *collection;
	const char *model_id; /**< "" for a row of images without any embedding */
	uint64_t users;       /**< who have an embedding of this model (or an image without any) */
	uint64_t images;      /**< that have one (or none at all) */
	uint64_t all_images;  /**< of the collection, whatever they have */
};
typedef int collection_fn(void *arg, const struct collection_summary *summary, struct error *err);

/** One row for each collection and model in it, ordered by both; a negative return of `fn` stops and is returned. */
int collections_list(struct store *store, collection_fn *fn, void *arg, struct error *err) must_check;

/** How many images a collection has with an embedding of that model; NULL: under any model, or none. */
int collections_count_images(struct store *store, const char *collection, const char *model_id, uint64_t *images,
			     struct error *err) must_check;

/** An image of somebody, and what is kept of it. What it points to is gone when the function returns. */
struct collection_image {
	const char *collection;
	const char *user_id;
	const char *image_id;
	int64_t accepted_ms;
	const uint8_t *crop; /**< JPEG; NULL: none was kept */
	size_t crop_size;
	const char *model_id; /**< export only; NULL: the image has no embedding at all */
	const float *embedding;
	int dimension;
};
typedef int collection_image_fn(void *arg, const struct collection_image *image, struct error *err);

/** The most images one page has, whatever its reader asks for: their crops are in memory together. */
#define COLLECTIONS_PAGE 32

/** Where to go on after a page; zero-initialise. */
struct collection_cursor {
	char collection[129];
	char user_id[129];
	char image_id[UUID_SIZE];
	uint64_t damaged; /**< rows after it whose names cannot stand here */
};

/**
 * The next at most `limit` images of one collection (NULL: of all) that have no embedding under `model_id`, in the
 * order of (collection, user, image), after `cursor`, which moves on with each that `fn` took. Returns how many there
 * were, 0 at the end, or a negative errno. `fn` is called when the page has been read and nothing is held open: it may
 * take its time, and use the store. A damaged crop comes as none; a row with impossible names is reported and left out.
 */
int collections_missing(struct store *store, const char *collection, const char *model_id,
			struct collection_cursor *cursor, unsigned limit, collection_image_fn *fn, void *arg,
			struct error *err) must_check;

/**
 * Adds a model's embedding to an image, if the image is still there (*added says so; false too when it has one
 * already). The person gets a new version.
 */
int collections_add_embedding(struct store *store, const struct collection_image *image, bool *added,
			      struct error *err) must_check;

/**
 * Everything there is, one call for each image and model (images without any: one), as of one moment, in the order of
 * (collection, user, image, model). What is damaged is reported and comes as none: a crop as NULL, an embedding as an
 * image without one; a row with impossible names is left out.
 */
int collections_export(struct store *store, const char *collection, collection_image_fn *fn, void *arg,
		       struct error *err) must_check;

/**
 * Puts an exported image back: like people_enroll(), with or without an embedding. Tombstones hold: what was unenrolled
 * later stays so (PEOPLE_SUPERSEDED). What people_enroll() could not have stored is `invalid_job`.
 */
int collections_import(struct store *store, const struct collection_image *image, enum people_outcome *outcome,
		       struct error *err) must_check;

/**
 * Removes the embeddings of a model from a collection (NULL: all), some people in each transaction, so that it can be
 * interrupted and called again. `removed` gets their number.
 */
int collections_drop_model(struct store *store, const char *collection, const char *model_id, uint64_t *removed,
			   struct error *err) must_check;

/**
 * Removes somebody everywhere (collection NULL: in every collection that knows the user), as an unenrolment by
 * `command`; the tombstones stay, so that enrolments still queued do not bring them back. `persons` and `images` get
 * how many went; `version` the newest of them. One transaction a collection: after an error, call it again.
 */
int collections_erase(struct store *store, const char *collection, const char *user_id,
		      const struct people_command *command, unsigned *persons, uint64_t *images, uint64_t *version,
		      struct error *err) must_check;

#endif
