/* Collections as an operator sees them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "obs/log.h"
#include "store/change.h"
#include "store/collections.h"

/* --- what there is --- */

struct list_reader {
	collection_fn *fn;
	void *arg;
};

static int pass_summary(void *arg, const struct database_row *row, struct error *err)
{
	const struct list_reader *reader = arg;
	const struct collection_summary summary = {
	    .collection = database_row_text(row, 0),
	    .model_id = database_row_text(row, 1),
	    .users = (uint64_t)database_row_integer(row, 2),
	    .images = (uint64_t)database_row_integer(row, 3),
	    .all_images = (uint64_t)database_row_integer(row, 4),
	};

	return reader->fn(reader->arg, &summary, err);
}

#define NO_EMBEDDING                                                                                                   \
	"NOT EXISTS (SELECT 1 FROM embeddings e WHERE e.collection = i.collection AND e.user_id = i.user_id"           \
	" AND e.image_id = i.image_id"

static const char list_sql[] =
    "SELECT g.collection, g.model_id, g.users, g.images, t.images FROM"
    " (SELECT collection, model_id, COUNT(DISTINCT user_id) AS users, COUNT(*) AS images FROM embeddings"
    " GROUP BY collection, model_id UNION ALL"
    " SELECT i.collection, '', COUNT(DISTINCT i.user_id), COUNT(*) FROM images i WHERE " NO_EMBEDDING ")"
    " GROUP BY i.collection) g"
    " JOIN (SELECT collection, COUNT(*) AS images FROM images GROUP BY collection) t ON t.collection = g.collection"
    " ORDER BY g.collection, g.model_id";

int collections_list(struct store *store, collection_fn *fn, void *arg, struct error *err)
{
	struct list_reader reader = {fn, arg};
	int r = database_begin(store->database, false, err);

	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = list_sql, .fn = pass_summary, .arg = &reader},
				 err);
	database_rollback(store->database);
	return r;
}

int collections_count_images(struct store *store, const char *collection, uint64_t *images, struct error *err)
{
	const struct database_value value = database_text(collection);
	int r = database_begin(store->database, false, err);

	if (r == 0)
		r = database_run(
		    store->database,
		    &(struct database_statement){.sql = "SELECT COUNT(*) FROM images WHERE collection = $1",
						 .values = &value,
						 .value_count = 1,
						 .fn = change_note_integer,
						 .arg = images},
		    err);
	database_rollback(store->database);
	return r;
}

/* --- a page of images ---
 * A page is copied before anybody sees it, so that no statement waits for its reader: PostgreSQL would end it after a
 * while. Its rows come in the order of their keys. A key that cannot be a cursor (from a hand that was not ours) is
 * only counted, and skipped by OFFSET from the last good one, so that reading always gets on.
 */

#define PAGE_BYTES (64u << 20)
#define NONE SIZE_MAX

/* A copied row: places in the page's bytes. */
struct kept {
	size_t collection, user_id, image_id;
	int64_t accepted_ms;
	size_t crop, crop_size;
	size_t model_id, vector;
	int dimension;
};

struct page {
	struct buffer bytes;
	struct kept *rows;
	unsigned count;
	unsigned capacity;
	unsigned images;      /* whatever their keys */
	uint64_t damaged;     /* after the last good key */
	unsigned since_crops; /* where the rows of the current image begin */
	float vector[PEOPLE_MAX_DIMENSION];
};

enum column {
	COLLECTION,
	USER_ID,
	IMAGE_ID,
	ACCEPTED,
	CROP,
	CROP_SIZE,
	IS_TEXT,
	IS_FIRST,
	MODEL_ID,
	VECTOR,
	VECTOR_SIZE
};

static void report(const struct database_row *row, const char *message)
{
	log_error(NULL, message, log_string("collection", database_row_text(row, COLLECTION)),
		  log_string("image", database_row_text(row, IMAGE_ID)));
}

/* Text that comes back as it is when it is asked for. */
static bool is_name(const struct database_row *row, unsigned column, size_t room)
{
	const char *text = database_row_text(row, column);
	size_t size;

	(void)database_row_bytes(row, column, &size);
	return size > 0 && size < room && strlen(text) == size && utf8_is_valid(text, size);
}

static bool has_good_key(const struct database_row *row)
{
	return database_row_integer(row, IS_TEXT) &&
	       is_name(row, COLLECTION, sizeof((struct collection_cursor){0}.collection)) &&
	       is_name(row, USER_ID, sizeof((struct collection_cursor){0}.user_id)) &&
	       is_name(row, IMAGE_ID, UUID_SIZE);
}

/* Returns the place of the copy, or NONE: no memory, or no room in a page. */
static size_t copy(struct page *page, const void *bytes, size_t size)
{
	size_t place = page->bytes.size;

	return buffer_append(&page->bytes, bytes, size) == 0 && buffer_append(&page->bytes, "", 1) == 0 ? place : NONE;
}

static size_t copy_text(struct page *page, const struct database_row *row, unsigned column)
{
	const char *text = database_row_text(row, column);

	return copy(page, text, strlen(text));
}

static void copy_crop(struct page *page, const struct database_row *row, struct kept *kept)
{
	const void *bytes = database_row_bytes(row, CROP, &kept->crop_size);

	if (!database_row_is_null(row, CROP) && kept->crop_size > 0 && kept->crop_size <= PEOPLE_MAX_CROP_BYTES)
		kept->crop = copy(page, bytes, kept->crop_size);
	if (kept->crop == NONE && !database_row_is_null(row, CROP_SIZE))
		report(row, "a stored face crop is damaged and left out");
}

static void copy_embedding(struct page *page, const struct database_row *row, struct kept *kept)
{
	size_t size;
	const void *bytes = database_row_bytes(row, VECTOR, &size);
	const float *vector = is_name(row, MODEL_ID, PEOPLE_MODEL_ID_SIZE)
				  ? change_read_vector(bytes, size, page->vector, &kept->dimension)
				  : NULL;

	if (vector)
		kept->vector = copy(page, vector, (size_t)kept->dimension * sizeof(float));
	if (kept->vector != NONE)
		kept->model_id = copy_text(page, row, MODEL_ID);
	if (kept->model_id == NONE && !database_row_is_null(row, MODEL_ID))
		report(row, "a stored embedding is damaged and left out");
}

static struct kept *new_row(struct page *page)
{
	if (page->count == page->capacity) {
		unsigned capacity = page->capacity ? 2 * page->capacity : COLLECTIONS_PAGE;
		struct kept *rows = reallocarray(page->rows, capacity, sizeof(*rows));

		if (!rows)
			return NULL;
		page->rows = rows;
		page->capacity = capacity;
	}
	return &page->rows[page->count++];
}

static int keep(void *arg, const struct database_row *row, struct error *err)
{
	struct page *page = arg;
	bool is_first = database_row_integer(row, IS_FIRST) != 0;

	page->images += is_first;
	if (!has_good_key(row)) {
		page->damaged += is_first;
		report(row, "a stored image has impossible names and is left out");
		return 0;
	}
	struct kept *kept = new_row(page);
	if (!kept)
		return error_set(err, ERROR_INTERNAL, "no memory for a page of images");
	page->damaged = 0;
	*kept = (struct kept){.crop = NONE, .model_id = NONE, .vector = NONE};
	kept->accepted_ms = database_row_integer(row, ACCEPTED);
	if (is_first) {
		page->since_crops = page->count - 1;
		copy_crop(page, row, kept);
	} else {
		kept->crop = page->rows[page->since_crops].crop;
		kept->crop_size = page->rows[page->since_crops].crop_size;
	}
	copy_embedding(page, row, kept);
	kept->collection = copy_text(page, row, COLLECTION);
	kept->user_id = copy_text(page, row, USER_ID);
	kept->image_id = copy_text(page, row, IMAGE_ID);
	return kept->collection != NONE && kept->user_id != NONE && kept->image_id != NONE
		   ? 0
		   : error_set(err, ERROR_INTERNAL, "no memory for a page of images");
}

static void finish_page(struct page *page)
{
	buffer_finish(&page->bytes);
	free(page->rows);
	free(page);
}

/* $1-$3 the cursor, $4 images, $5 damaged, $6 collection, $7 model */
static int read_page(struct store *store, const char *sql, const char *collection, const char *model_id,
		     const struct collection_cursor *cursor, unsigned limit, struct page **out, struct error *err)
{
	const struct database_value values[] = {database_text(cursor->collection),
						database_text(cursor->user_id),
						database_text(cursor->image_id),
						database_integer(limit),
						database_integer((int64_t)cursor->damaged),
						database_text(collection),
						database_text(model_id)};
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return error_set(err, ERROR_INTERNAL, "no memory for a page of images");
	page->bytes.limit = PAGE_BYTES;
	page->damaged = cursor->damaged;
	int r =
	    database_run(store->database,
			 &(struct database_statement){
			     .sql = sql, .values = values, .value_count = array_size(values), .fn = keep, .arg = page},
			 err);
	if (r < 0) {
		finish_page(page);
		return r;
	}
	*out = page;
	return 0;
}

static struct collection_image image_of(struct page *page, const struct kept *kept)
{
	const char *bytes = (const char *)page->bytes.data;
	struct collection_image image = {
	    .collection = bytes + kept->collection,
	    .user_id = bytes + kept->user_id,
	    .image_id = bytes + kept->image_id,
	    .accepted_ms = kept->accepted_ms,
	};

	if (kept->crop != NONE) {
		image.crop = (const uint8_t *)bytes + kept->crop;
		image.crop_size = kept->crop_size;
	}
	if (kept->model_id != NONE) {
		memcpy(page->vector, bytes + kept->vector, (size_t)kept->dimension * sizeof(float));
		image.model_id = bytes + kept->model_id;
		image.embedding = page->vector;
		image.dimension = kept->dimension;
	}
	return image;
}

/* Passes the page on. Frees it. */
static int deliver(struct page *page, struct collection_cursor *cursor, collection_image_fn *fn, void *arg,
		   struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < page->count; i++) {
		const struct collection_image image = image_of(page, &page->rows[i]);

		r = fn(arg, &image, err);
		if (r < 0)
			break;
		strcpy(cursor->collection, image.collection);
		strcpy(cursor->user_id, image.user_id);
		strcpy(cursor->image_id, image.image_id);
		cursor->damaged = 0;
	}
	if (r >= 0)
		cursor->damaged = page->damaged;
	finish_page(page);
	return r < 0 ? r : 0;
}

/* A key in three pieces, so that one collection is a range of the index. SQLite takes bytes in a column of text, which
 * are no text when they are compared. A crop or vector of any size is not even fetched. */
#define IN_ONE "i.collection = $6 AND (i.user_id, i.image_id) > ($2, $3)"
#define IN_ALL "(i.collection, i.user_id, i.image_id) > ($1, $2, $3)"
#define KEY_ORDER " ORDER BY i.collection, i.user_id, i.image_id"
#define COLUMNS                                                                                                        \
	"SELECT i.collection, i.user_id, i.image_id, i.accepted, CASE WHEN LENGTH(i.crop) <= 1048576 THEN i.crop END," \
	" LENGTH(i.crop), CASE WHEN CAST(i.collection AS TEXT) = i.collection AND CAST(i.user_id AS TEXT) = i.user_id" \
	" AND CAST(i.image_id AS TEXT) = i.image_id THEN 1 ELSE 0 END, "
#define MISSING(range)                                                                                                 \
	COLUMNS "1, NULL, NULL, NULL FROM images i WHERE " range " AND " NO_EMBEDDING                                  \
		" AND e.model_id = $7)" KEY_ORDER " LIMIT $4 OFFSET $5"

int collections_missing(struct store *store, const char *collection, const char *model_id,
			struct collection_cursor *cursor, unsigned limit, collection_image_fn *fn, void *arg,
			struct error *err)
{
	const char *sql = collection ? MISSING(IN_ONE) : MISSING(IN_ALL);
	unsigned images = limit < COLLECTIONS_PAGE ? limit : COLLECTIONS_PAGE;

	for (;;) {
		struct page *page;
		int r = database_begin(store->database, false, err);

		if (r == 0)
			r = read_page(store, sql, collection, model_id, cursor, images, &page, err);
		database_rollback(store->database);
		if (r < 0)
			return r;
		int count = (int)page->count;
		bool is_end = page->images == 0;

		r = deliver(page, cursor, fn, arg, err);
		if (r < 0 || count > 0 || is_end)
			return r < 0 ? r : count;
	}
}

#define EXPORT_IMAGES 16
#define IS_FIRST_SQL                                                                                                   \
	"CASE WHEN e.model_id IS NULL OR NOT EXISTS (SELECT 1 FROM embeddings f WHERE f.collection = i.collection"     \
	" AND f.user_id = i.user_id AND f.image_id = i.image_id AND f.model_id < e.model_id) THEN 1 ELSE 0 END"
#define EXPORT(range)                                                                                                  \
	COLUMNS IS_FIRST_SQL                                                                                           \
	    ", e.model_id, CASE WHEN LENGTH(e.vector) <= 16384 THEN e.vector END, LENGTH(e.vector) FROM"               \
	    " (SELECT * FROM images i WHERE " range KEY_ORDER " LIMIT $4 OFFSET $5) i LEFT JOIN embeddings e"          \
	    " ON e.collection = i.collection AND e.user_id = i.user_id AND e.image_id = i.image_id" KEY_ORDER          \
	    ", e.model_id"

int collections_export(struct store *store, const char *collection, collection_image_fn *fn, void *arg,
		       struct error *err)
{
	const char *sql = collection ? EXPORT(IN_ONE) : EXPORT(IN_ALL);
	struct collection_cursor cursor = {0};
	int r = database_begin(store->database, false, err);
	bool is_end = false;

	while (r == 0 && !is_end) {
		struct page *page;

		r = read_page(store, sql, collection, NULL, &cursor, EXPORT_IMAGES, &page, err);
		if (r < 0)
			break;
		is_end = page->images == 0;
		r = deliver(page, &cursor, fn, arg, err);
	}
	database_rollback(store->database);
	return r;
}
