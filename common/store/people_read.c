/* Who is enrolled, and what changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "obs/log.h"
#include "store/change.h"

static void report(const char *collection, const char *image_id)
{
	log_error(NULL, "a stored embedding is damaged and left out", log_string("collection", collection),
		  log_string("image", image_id));
}

/* --- one person --- */

struct finding {
	const char *collection;
	struct people_person *person;
	unsigned capacity;
	char last_image[UUID_SIZE];
	float vector[PEOPLE_MAX_DIMENSION];
};

static int append(struct finding *f, const char *image_id, const float *vector, int dimension, struct error *err)
{
	struct people_person *p = f->person;

	/* An image has one embedding for a model, and a model one dimension: anything else is damage. */
	if (p->count >= PEOPLE_MAX_IMAGES || (p->count > 0 && dimension != p->dimension) ||
	    strlen(image_id) >= UUID_SIZE) {
		report(f->collection, image_id);
		return 0;
	}
	if (p->count == 0) {
		p->dimension = dimension;
		p->image_ids = calloc(PEOPLE_MAX_IMAGES, sizeof(*p->image_ids));
		p->embeddings = calloc(PEOPLE_MAX_IMAGES, (size_t)dimension * sizeof(float));
		if (!p->image_ids || !p->embeddings)
			return error_set(err, ERROR_INTERNAL, "no memory for a person");
	}
	strcpy(p->image_ids[p->count], image_id);
	memcpy(p->embeddings + (size_t)p->count++ * dimension, vector, (size_t)dimension * sizeof(float));
	return 0;
}

static int add_found(void *arg, const struct database_row *row, struct error *err)
{
	struct finding *f = arg;
	int dimension = 0;
	size_t size;

	f->person->version = (uint64_t)database_row_integer(row, 0);
	if (database_row_is_null(row, 1))
		return 0; /* a person without images */
	f->person->images++;
	if (database_row_is_null(row, 2))
		return 0; /* an image without this model's embedding */
	const void *bytes = database_row_bytes(row, 2, &size);
	const float *vector = change_read_vector(bytes, size, f->vector, &dimension);
	if (vector)
		return append(f, database_row_text(row, 1), vector, dimension, err);
	report(f->collection, database_row_text(row, 1));
	return 0;
}

int people_find(struct store *store, const char *collection, const char *user_id, const char *model_id,
		struct people_person *out, struct error *err)
{
	const struct database_value values[] = {database_text(collection), database_text(user_id),
						database_text(model_id)};
	struct finding finding = {.collection = collection, .person = out};

	*out = (struct people_person){0};
	int r = database_read(store->database,
			      &(struct database_statement){
				  .sql = "SELECT p.version, i.image_id, e.vector FROM persons p"
					 " LEFT JOIN images i ON i.collection = p.collection AND i.user_id = p.user_id"
					 " LEFT JOIN embeddings e ON e.collection = i.collection"
					 " AND e.user_id = i.user_id AND e.image_id = i.image_id AND e.model_id = $3"
					 " WHERE p.collection = $1 AND p.user_id = $2 ORDER BY i.image_id",
				  .values = values,
				  .value_count = array_size(values),
				  .fn = add_found,
				  .arg = &finding},
			      err);
	if (r < 0)
		people_finish(out);
	return r;
}

void people_finish(struct people_person *person)
{
	free(person->image_ids);
	free(person->embeddings);
	*person = (struct people_person){0};
}

/* --- changes --- */

static struct database_statement select_version(uint64_t *version)
{
	return (struct database_statement){
	    .sql = "SELECT version FROM people_version", .fn = database_note_integer, .arg = version};
}

int people_version(struct store *store, uint64_t *version, struct error *err)
{
	const struct database_statement statement = select_version(version);

	return database_read(store->database, &statement, err);
}

struct change_reader {
	people_change_fn *fn;
	void *arg;
};

static int pass_change(void *arg, const struct database_row *row, struct error *err)
{
	const struct change_reader *reader = arg;

	(void)err;
	return reader->fn(reader->arg, (uint64_t)database_row_integer(row, 0), database_row_text(row, 1),
			  database_row_text(row, 2));
}

int people_changes(struct store *store, uint64_t after, unsigned limit, people_change_fn *fn, void *arg,
		   struct error *err)
{
	const struct database_value values[] = {database_integer((int64_t)after), database_integer(limit)};
	struct change_reader reader = {fn, arg};

	return database_read(store->database,
			     &(struct database_statement){.sql = "SELECT version, collection, user_id FROM persons"
								 " WHERE version > $1 ORDER BY version LIMIT $2",
							  .values = values,
							  .value_count = array_size(values),
							  .fn = pass_change,
							  .arg = &reader},
			     err);
}

/* --- everybody --- */

struct row_reader {
	people_row_fn *fn;
	void *arg;
	float vector[PEOPLE_MAX_DIMENSION];
};

static int pass_row(void *arg, const struct database_row *row, struct error *err)
{
	struct row_reader *reader = arg;
	struct people_row out = {
	    .collection = database_row_text(row, 0),
	    .user_id = database_row_text(row, 1),
	    .image_id = database_row_text(row, 2),
	    .version = (uint64_t)database_row_integer(row, 4),
	};
	size_t size;
	const void *bytes = database_row_bytes(row, 3, &size);

	(void)err;
	out.embedding = change_read_vector(bytes, size, reader->vector, &out.dimension);
	if (out.embedding)
		return reader->fn(reader->arg, &out);
	report(out.collection, out.image_id);
	return 0;
}

int people_load(struct store *store, const char *collection, const char *model_id, uint64_t *version, people_row_fn *fn,
		void *arg, struct error *err)
{
	const struct database_value values[] = {database_text(model_id), database_text(collection)};
	struct row_reader reader = {.fn = fn, .arg = arg};
	const struct database_statement newest = select_version(version);
	int r = database_begin_bulk(store->database, err);

	if (r == 0)
		r = database_run(store->database, &newest, err);
	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){
				     .sql = "SELECT e.collection, e.user_id, e.image_id, e.vector, p.version"
					    " FROM embeddings e JOIN persons p"
					    " ON p.collection = e.collection AND p.user_id = e.user_id"
					    " WHERE e.model_id = $1 AND (CAST($2 AS TEXT) IS NULL OR e.collection = $2)"
					    " ORDER BY e.collection, e.user_id, e.image_id",
				     .values = values,
				     .value_count = array_size(values),
				     .fn = pass_row,
				     .arg = &reader},
				 err);
	database_rollback(store->database);
	return r;
}
