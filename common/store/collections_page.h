#ifndef STORE_COLLECTIONS_PAGE_H
#define STORE_COLLECTIONS_PAGE_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "store/collections.h"
#include "store/store_private.h"

/*
 * For the store itself: some images with what is kept of them, in the order of their keys (collection, user, image),
 * copied before anybody sees them, so that no statement waits for its reader: PostgreSQL would end it after a while. A
 * key that cannot stand in a cursor (from a hand that was not ours) is only counted, and skipped by OFFSET from the
 * last good one, so that reading always gets on.
 */

/** The columns of a page's statement. Those of a key suffice for page_has_good_key(). */
enum page_column { COLLECTION, USER_ID, IMAGE_ID, IS_TEXT, IS_FIRST, ACCEPTED, CROP, CROP_SIZE, MODEL_ID, VECTOR };

/** What a statement reads: $1-$3 `after`, $4 images, $5 damaged ones after it, $6 collection, $7 model, $8-$10 `to`. */
struct page_range {
	const char *collection;
	const char *model_id;
	const struct collection_cursor *after;
	const struct collection_cursor *to; /**< NULL: no end; otherwise bad keys before it were reported */
	unsigned images;
};

/** A copied row: places in the page's bytes. */
struct page_row {
	size_t collection, user_id, image_id;
	int64_t accepted_ms;
	size_t crop, crop_size;
	size_t model_id, vector;
	int dimension;
};

struct page {
	struct buffer bytes;
	struct page_row *rows;
	unsigned count;
	unsigned capacity;
	unsigned images;  /**< whatever their keys */
	uint64_t damaged; /**< after the last good key */
	bool reported;
	unsigned first; /**< row of the current image, which has its crop */
	float vector[PEOPLE_MAX_DIMENSION];
};

/** Runs a statement over a range. */
int page_run(struct store *store, const char *sql, const struct page_range *range, database_row_fn *fn, void *arg,
	     struct error *err) must_check;

/** Reads a page, which page_deliver() frees. */
int page_read(struct store *store, const char *sql, const struct page_range *range, struct page **out,
	      struct error *err) must_check;

/** Passes the images on, moves the cursor behind each that `fn` took, and frees the page. */
int page_deliver(struct page *page, struct collection_cursor *cursor, collection_image_fn *fn, void *arg,
		 struct error *err) must_check;

/** Whether a row's key comes back as it is when it is asked for. */
bool page_has_good_key(const struct database_row *row);

/** Reports what is wrong with a row. */
void page_report(const struct database_row *row, const char *message);
#define PAGE_BAD_KEY "a stored image has impossible names and is left out"

#endif
