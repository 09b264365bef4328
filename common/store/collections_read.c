/* Collections as an operator sees them. */
#include <string.h>

#include "store/change.h"
#include "store/collections_page.h"

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

static const char list_sql[] =
    "SELECT g.collection, g.model_id, g.users, g.images, t.images FROM"
    " (SELECT collection, model_id, COUNT(DISTINCT user_id) AS users, COUNT(*) AS images FROM embeddings"
    " GROUP BY collection, model_id UNION ALL"
    " SELECT i.collection, '', COUNT(DISTINCT i.user_id), COUNT(*) FROM images i WHERE NOT EXISTS (SELECT 1 FROM "
    "embeddings e"
    " WHERE e.collection = i.collection AND e.user_id = i.user_id AND e.image_id = i.image_id)"
    " GROUP BY i.collection) g"
    " JOIN (SELECT collection, COUNT(*) AS images FROM images GROUP BY collection) t ON t.collection = g.collection"
    " ORDER BY g.collection, g.model_id";

int collections_list(struct store *store, collection_fn *fn, void *arg, struct error *err)
{
	struct list_reader reader = {fn, arg};
	int r = database_begin_bulk(store->database, err);

	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = list_sql, .fn = pass_summary, .arg = &reader},
				 err);
	database_rollback(store->database);
	return r;
}

int collections_count_images(struct store *store, const char *collection, const char *model_id, uint64_t *images,
			     struct error *err)
{
	const struct database_value values[] = {database_text(collection), database_text(model_id)};

	return database_read(store->database,
			     &(struct database_statement){
				 .sql = model_id
					    ? "SELECT COUNT(*) FROM embeddings WHERE collection = $1 AND model_id = $2"
					    : "SELECT COUNT(*) FROM images WHERE collection = $1",
				 .values = values,
				 .value_count = model_id ? 2 : 1,
				 .fn = database_note_integer,
				 .arg = images},
			     err);
}

/* A key in three pieces, so that one collection is a range of the index. SQLite takes bytes in a column of text, which
 * are no text when they are compared. A crop or vector of any size is not even fetched. */
#define IN_ONE "i.collection = $6 AND (i.user_id, i.image_id) > ($2, $3)"
#define IN_ALL "(i.collection, i.user_id, i.image_id) > ($1, $2, $3)"
#define KEY_ORDER " ORDER BY i.collection, i.user_id, i.image_id"
#define KEY                                                                                                            \
	"SELECT i.collection, i.user_id, i.image_id, CASE WHEN CAST(i.collection AS TEXT) = i.collection AND"          \
	" CAST(i.user_id AS TEXT) = i.user_id AND CAST(i.image_id AS TEXT) = i.image_id THEN 1 ELSE 0 END, "
#define IMAGE "i.accepted, CASE WHEN LENGTH(i.crop) <= 1048576 THEN i.crop END, LENGTH(i.crop), "
#define SAME_IMAGE " e.collection = i.collection AND e.user_id = i.user_id AND e.image_id = i.image_id"

/* --- what a model lacks --- */

/* A count, which is asked of the index for each image. A join is planned by statistics, and of a model that is just
 * being filled they know nothing: PostgreSQL then went through all of it, for each window. */
#define LACKS "(SELECT COUNT(*) FROM embeddings e WHERE" SAME_IMAGE " AND e.model_id = $7) = 0"
/* So many images are looked at in one statement, however few of them lack the embedding: it always ends soon. */
#define WINDOW "1000"
#define SCAN(range)                                                                                                    \
	KEY "CASE WHEN " LACKS                                                                                         \
	    " THEN 1 ELSE 0 END FROM (SELECT collection, user_id, image_id FROM images i WHERE " range KEY_ORDER       \
	    " LIMIT " WINDOW " OFFSET $5) i" KEY_ORDER
#define MISSING(range, end) KEY "1, " IMAGE "NULL, NULL FROM images i WHERE " range " AND " end " AND " LACKS KEY_ORDER
#define ONE_END "(i.user_id, i.image_id) <= ($9, $10)"
#define ALL_END "(i.collection, i.user_id, i.image_id) <= ($8, $9, $10)"
#define IS_MISSING IS_FIRST

/* How far a page goes. */
struct scan {
	struct collection_cursor end;
	unsigned images;  /* looked at */
	unsigned missing; /* of them, with good keys */
	unsigned limit;
};

static int scan_row(void *arg, const struct database_row *row, struct error *err)
{
	struct scan *scan = arg;

	(void)err;
	scan->images++;
	if (scan->missing == scan->limit)
		return 0;
	if (!page_has_good_key(row)) {
		scan->end.damaged++;
		page_report(row, PAGE_BAD_KEY);
		return 0;
	}
	strcpy(scan->end.collection, database_row_text(row, COLLECTION));
	strcpy(scan->end.user_id, database_row_text(row, USER_ID));
	strcpy(scan->end.image_id, database_row_text(row, IMAGE_ID));
	scan->end.damaged = 0;
	scan->missing += database_row_integer(row, IS_MISSING) != 0;
	return 0;
}

/* A window, and the images in it. *page is NULL if none of them lacks anything. */
static int read_missing(struct store *store, struct page_range *range, struct scan *scan, struct page **page,
			struct error *err)
{
	bool one = range->collection != NULL;
	int r = database_begin(store->database, false, err);

	*page = NULL;
	if (r == 0)
		r = page_run(store, one ? SCAN(IN_ONE) : SCAN(IN_ALL), range, scan_row, scan, err);
	range->to = &scan->end;
	if (r == 0 && scan->missing > 0)
		r = page_read(store, one ? MISSING(IN_ONE, ONE_END) : MISSING(IN_ALL, ALL_END), range, page, err);
	database_rollback(store->database);
	return r;
}

int collections_missing(struct store *store, const char *collection, const char *model_id,
			struct collection_cursor *cursor, unsigned limit, collection_image_fn *fn, void *arg,
			struct error *err)
{
	unsigned images = limit == 0 ? 1 : limit < COLLECTIONS_PAGE ? limit : COLLECTIONS_PAGE;
	int count = 0;
	int r = 0;

	while (r == 0 && count == 0) {
		struct page_range range = {.collection = collection, .model_id = model_id, .after = cursor};
		struct scan scan = {.end = *cursor, .limit = images};
		struct page *page;

		r = read_missing(store, &range, &scan, &page, err);
		if (r < 0 || scan.images == 0)
			return r;
		if (page) {
			count = (int)page->count;
			r = page_deliver(page, cursor, fn, arg, err);
		}
		if (r == 0)
			*cursor = scan.end;
	}
	return r < 0 ? r : count;
}

/* --- everything --- */

#define EXPORT_IMAGES 16
#define IS_FIRST_SQL                                                                                                   \
	"CASE WHEN e.model_id IS NULL OR NOT EXISTS (SELECT 1 FROM embeddings f WHERE f.collection = i.collection"     \
	" AND f.user_id = i.user_id AND f.image_id = i.image_id AND f.model_id < e.model_id) THEN 1 ELSE 0 END, "
#define EXPORT(range)                                                                                                  \
	KEY IS_FIRST_SQL IMAGE "e.model_id, CASE WHEN LENGTH(e.vector) <= 16384 THEN e.vector END FROM"                \
			       " (SELECT * FROM images i WHERE " range KEY_ORDER " LIMIT $4 OFFSET $5) i"              \
			       " LEFT JOIN embeddings e ON" SAME_IMAGE KEY_ORDER ", e.model_id"

int collections_export(struct store *store, const char *collection, collection_image_fn *fn, void *arg,
		       struct error *err)
{
	struct collection_cursor cursor = {0};
	const struct page_range range = {.collection = collection, .after = &cursor, .images = EXPORT_IMAGES};
	int r = database_begin(store->database, false, err);
	bool is_end = false;

	while (r == 0 && !is_end) {
		struct page *page;

		r = page_read(store, collection ? EXPORT(IN_ONE) : EXPORT(IN_ALL), &range, &page, err);
		if (r < 0)
			break;
		is_end = page->images == 0;
		r = page_deliver(page, &cursor, fn, arg, err);
	}
	database_rollback(store->database);
	return r;
}
