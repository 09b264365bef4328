/* What an operator does to collections. Each change is a transaction of its own, or many small ones. */
#include <string.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "store/change.h"
#include "store/collections.h"

/* --- images and embeddings --- */

static int refuse(struct error *err, const struct collection_image *image, const char *problem)
{
	return error_set(err, ERROR_INVALID_JOB, "image %.36s: %s", image->image_id, problem);
}

static bool is_name(const char *text, size_t room)
{
	size_t size = strlen(text);

	return size > 0 && size < room && utf8_is_valid(text, size);
}

static int check_names(const struct collection_image *image, struct error *err)
{
	if (!is_name(image->collection, sizeof((struct collection_cursor){0}.collection)))
		return refuse(err, image, "no collection's name");
	if (!is_name(image->user_id, sizeof((struct collection_cursor){0}.user_id)))
		return refuse(err, image, "no user id");
	if (!uuid_is_valid(image->image_id))
		return refuse(err, image, "no image id");
	return 0;
}

static int check_embedding(const struct collection_image *image, struct error *err)
{
	float copy[PEOPLE_MAX_DIMENSION];
	int dimension;

	if (!image->model_id || !is_name(image->model_id, PEOPLE_MODEL_ID_SIZE))
		return refuse(err, image, "no model id");
	if (image->dimension < 1 || image->dimension > PEOPLE_MAX_DIMENSION)
		return refuse(err, image, "an embedding of an impossible dimension");
	if (!change_read_vector(image->embedding, (size_t)image->dimension * sizeof(float), copy, &dimension))
		return refuse(err, image, "an embedding with a number that is not finite");
	return 0;
}

int collections_add_embedding(struct store *store, const struct collection_image *image, bool *added, struct error *err)
{
	const struct database_value key[] = {database_text(image->collection), database_text(image->user_id),
					     database_text(image->image_id), database_text(image->model_id)};
	struct change change;
	int r = check_embedding(image, err);

	if (r < 0)
		return r;
	r = change_begin(store, key, &change, err);
	if (r == 0)
		r = change_look_for_image(store, key, &change, err);
	bool keep = r == 0 && change.has_image && !change.has_embedding;
	if (keep)
		r = change_put_embedding(store, key, image->embedding, image->dimension, err);
	if (keep && r == 0)
		r = change_put_person(store, key, change.version, &change.removed, err);
	r = change_end(store, keep, r, err);
	if (r == 0)
		*added = keep;
	return r;
}

int collections_import(struct store *store, const struct collection_image *image, enum people_outcome *outcome,
		       struct error *err)
{
	const struct people_enrolment enrolment = {
	    .collection = image->collection,
	    .user_id = image->user_id,
	    .command = {.accepted_ms = image->accepted_ms, .id = image->image_id},
	    .model_id = image->model_id,
	    .embedding = image->embedding,
	    .dimension = image->dimension,
	    .crop = image->crop,
	    .crop_size = image->crop_size,
	};
	uint64_t version;
	int r = check_names(image, err);

	if (r == 0 && image->accepted_ms < 0)
		r = refuse(err, image, "a time before 1970");
	if (r == 0 && image->crop_size > PEOPLE_MAX_CROP_BYTES)
		r = refuse(err, image, "a face crop that is too large");
	if (r == 0 && image->embedding)
		r = check_embedding(image, err);
	return r < 0 ? r : change_enroll(store, &enrolment, outcome, &version, err);
}

/* --- a model goes --- */

/* People in one transaction: so many rows that others hardly wait. */
#define DROP_PEOPLE "100"
#define DROP_KEYS(where)                                                                                               \
	"(SELECT DISTINCT collection, user_id FROM embeddings WHERE model_id = $1" where                               \
	" ORDER BY collection, user_id LIMIT " DROP_PEOPLE ")"
#define DROP_TOUCH(where)                                                                                              \
	"UPDATE persons SET version = n.version FROM (SELECT collection, user_id,"                                     \
	" $3 + ROW_NUMBER() OVER (ORDER BY collection, user_id) AS version FROM " DROP_KEYS(                           \
	    where) " k) n WHERE persons.collection = n.collection AND persons.user_id = n.user_id"                     \
		   " RETURNING persons.version"
#define DROP_DELETE(where)                                                                                             \
	"DELETE FROM embeddings WHERE model_id = $1 AND (collection, user_id) IN " DROP_KEYS(where) " RETURNING 1"
#define IN_ONE " AND collection = $2"
#define IN_ALL ""

static int note_newest(void *arg, const struct database_row *row, struct error *err)
{
	uint64_t version = (uint64_t)database_row_integer(row, 0);

	(void)err;
	if (version > *(uint64_t *)arg)
		*(uint64_t *)arg = version;
	return 0;
}

static int count_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(uint64_t *)arg;
	return 0;
}

/* The next people, with a version for each. Both statements see the same people: other writers wait for the versions.
 */
static int drop_some(struct store *store, const char *collection, const char *model_id, uint64_t *removed,
		     struct error *err)
{
	struct database_value values[] = {database_text(model_id), database_text(collection), database_integer(0)};
	uint64_t newest;
	int r = change_lock(store, &newest, err);

	*removed = 0;
	if (r == 0) {
		values[2] = database_integer((int64_t)newest - 1);
		r = database_run(
		    store->database,
		    &(struct database_statement){.sql = collection ? DROP_TOUCH(IN_ONE) : DROP_TOUCH(IN_ALL),
						 .values = values,
						 .value_count = 3,
						 .fn = note_newest,
						 .arg = &newest},
		    err);
	}
	if (r == 0)
		r = database_run(
		    store->database,
		    &(struct database_statement){.sql = collection ? DROP_DELETE(IN_ONE) : DROP_DELETE(IN_ALL),
						 .values = values,
						 .value_count = 2,
						 .fn = count_row,
						 .arg = removed},
		    err);
	values[0] = database_integer((int64_t)newest);
	if (r == 0)
		r = database_execute(store->database, "UPDATE people_version SET version = $1", values, 1, err);
	return change_end(store, *removed > 0, r, err);
}

int collections_drop_model(struct store *store, const char *collection, const char *model_id, uint64_t *removed,
			   struct error *err)
{
	uint64_t all = 0;
	uint64_t some;
	int r;

	do {
		r = drop_some(store, collection, model_id, &some, err);
		all += r == 0 ? some : 0;
	} while (r == 0 && some > 0);
	if (r == 0)
		*removed = all;
	return r;
}

/* --- somebody goes --- */

/* More collections than anybody has are a mistake, not a reason to run out of memory. */
#define MAX_COLLECTIONS_BYTES (16u << 20)

static int add_name(struct buffer *names, const char *name, struct error *err)
{
	return buffer_append(names, name, strlen(name) + 1) < 0
		   ? error_set(err, ERROR_INTERNAL, "no memory for the names of a user's collections")
		   : 0;
}

static int note_collection(void *arg, const struct database_row *row, struct error *err)
{
	return add_name(arg, database_row_text(row, 0), err);
}

static int read_collections(struct store *store, const char *user_id, struct buffer *names, struct error *err)
{
	const struct database_value value = database_text(user_id);
	int r = database_begin(store->database, false, err);

	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){.sql = "SELECT collection FROM persons"
								     " WHERE user_id = $1 ORDER BY collection",
							      .values = &value,
							      .value_count = 1,
							      .fn = note_collection,
							      .arg = names},
				 err);
	database_rollback(store->database);
	return r;
}

int collections_erase(struct store *store, const char *collection, const char *user_id,
		      const struct people_command *command, unsigned *persons, uint64_t *images, uint64_t *version,
		      struct error *err)
{
	struct buffer names = {.limit = MAX_COLLECTIONS_BYTES};
	unsigned gone = 0;
	uint64_t gone_images = 0;
	uint64_t newest = 0;
	int r = collection ? add_name(&names, collection, err) : read_collections(store, user_id, &names, err);

	for (size_t at = 0; r == 0 && at < names.size;) {
		const char *name = (const char *)names.data + at;
		unsigned removed;
		uint64_t changed;

		r = people_unenroll(store, name, user_id, command, &removed, &changed, err);
		if (r < 0)
			break;
		gone += removed > 0;
		gone_images += removed;
		newest = changed > newest ? changed : newest;
		at += strlen(name) + 1;
	}
	buffer_finish(&names);
	if (r == 0) {
		*persons = gone;
		*images = gone_images;
		*version = newest;
	}
	return r;
}
