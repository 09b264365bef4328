#include "store/collections_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "obs/log.h"
#include "store/change.h"

#define PAGE_BYTES (64u << 20)
#define NONE SIZE_MAX

void page_report(const struct database_row *row, const char *message)
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

bool page_has_good_key(const struct database_row *row)
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

static void copy_crop(struct page *page, const struct database_row *row, struct page_row *kept)
{
	const void *bytes = database_row_bytes(row, CROP, &kept->crop_size);

	if (!database_row_is_null(row, CROP) && kept->crop_size > 0 && kept->crop_size <= PEOPLE_MAX_CROP_BYTES)
		kept->crop = copy(page, bytes, kept->crop_size);
	if (kept->crop == NONE && !database_row_is_null(row, CROP_SIZE))
		page_report(row, "a stored face crop is damaged and left out");
}

static void copy_embedding(struct page *page, const struct database_row *row, struct page_row *kept)
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
		page_report(row, "a stored embedding is damaged and left out");
}

static struct page_row *new_row(struct page *page)
{
	if (page->count == page->capacity) {
		unsigned capacity = page->capacity ? 2 * page->capacity : COLLECTIONS_PAGE;
		struct page_row *rows = reallocarray(page->rows, capacity, sizeof(*rows));

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
	if (!page_has_good_key(row)) {
		page->damaged += is_first;
		if (!page->reported)
			page_report(row, PAGE_BAD_KEY);
		return 0;
	}
	struct page_row *kept = new_row(page);
	if (!kept)
		return error_set(err, ERROR_INTERNAL, "no memory for a page of images");
	page->damaged = 0;
	*kept = (struct page_row){.crop = NONE, .model_id = NONE, .vector = NONE};
	kept->accepted_ms = database_row_integer(row, ACCEPTED);
	if (is_first) {
		page->first = page->count - 1;
		copy_crop(page, row, kept);
	} else {
		kept->crop = page->rows[page->first].crop;
		kept->crop_size = page->rows[page->first].crop_size;
	}
	copy_embedding(page, row, kept);
	kept->collection = copy_text(page, row, COLLECTION);
	kept->user_id = copy_text(page, row, USER_ID);
	kept->image_id = copy_text(page, row, IMAGE_ID);
	return kept->collection != NONE && kept->user_id != NONE && kept->image_id != NONE
		   ? 0
		   : error_set(err, ERROR_INTERNAL, "no memory for a page of images");
}

static void finish(struct page *page)
{
	buffer_finish(&page->bytes);
	free(page->rows);
	free(page);
}

int page_run(struct store *store, const char *sql, const struct page_range *range, database_row_fn *fn, void *arg,
	     struct error *err)
{
	const struct collection_cursor *to = range->to ? range->to : range->after;
	const struct database_value values[] = {database_text(range->after->collection),
						database_text(range->after->user_id),
						database_text(range->after->image_id),
						database_integer(range->images),
						database_integer((int64_t)range->after->damaged),
						database_text(range->collection),
						database_text(range->model_id),
						database_text(to->collection),
						database_text(to->user_id),
						database_text(to->image_id)};

	return database_run(store->database,
			    &(struct database_statement){
				.sql = sql, .values = values, .value_count = array_size(values), .fn = fn, .arg = arg},
			    err);
}

int page_read(struct store *store, const char *sql, const struct page_range *range, struct page **out,
	      struct error *err)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return error_set(err, ERROR_INTERNAL, "no memory for a page of images");
	page->bytes.limit = PAGE_BYTES;
	page->damaged = range->after->damaged;
	page->reported = range->to != NULL;
	int r = page_run(store, sql, range, keep, page, err);
	if (r < 0) {
		finish(page);
		return r;
	}
	*out = page;
	return 0;
}

static struct collection_image image_of(struct page *page, const struct page_row *kept)
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

int page_deliver(struct page *page, struct collection_cursor *cursor, collection_image_fn *fn, void *arg,
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
	finish(page);
	return r < 0 ? r : 0;
}
