#include "store/change.h"

#include <math.h>
#include <string.h>

static int note_person(void *arg, const struct database_row *row, struct error *err)
{
	struct change *change = arg;

	(void)err;
	change->removed.accepted_ms = database_row_integer(row, 0);
	strncpy(change->removed_id, database_row_text(row, 1), sizeof(change->removed_id) - 1);
	change->since = (uint64_t)database_row_integer(row, 2);
	return 0;
}

static int note_images(void *arg, const struct database_row *row, struct error *err)
{
	struct change *change = arg;

	(void)err;
	change->images = (unsigned)database_row_integer(row, 0);
	change->has_image = database_row_integer(row, 1) > 0;
	change->has_embedding = database_row_integer(row, 2) > 0;
	return 0;
}

bool change_is_before(const struct people_command *a, const struct people_command *b)
{
	return a->accepted_ms != b->accepted_ms ? a->accepted_ms < b->accepted_ms : strcmp(a->id, b->id) < 0;
}

/* The row of versions is locked until the end, so versions become visible in their order. */
int change_lock(struct store *store, uint64_t *version, struct error *err)
{
	int r = database_begin(store->database, true, err);

	return r < 0 ? r
		     : database_run(store->database,
				    &(struct database_statement){
					.sql = "UPDATE people_version SET version = version + 1 RETURNING version",
					.fn = database_note_integer,
					.arg = version},
				    err);
}

int change_begin(struct store *store, const struct database_value *key, struct change *change, struct error *err)
{
	*change = (struct change){.removed = {.accepted_ms = -1}};
	change->removed.id = change->removed_id;
	int r = change_lock(store, &change->version, err);

	return r < 0 ? r
		     : database_run(store->database,
				    &(struct database_statement){
					.sql = "SELECT removed_accepted, removed_id, version FROM persons"
					       " WHERE collection = $1 AND user_id = $2",
					.values = key,
					.value_count = 2,
					.fn = note_person,
					.arg = change},
				    err);
}

int change_end(struct store *store, bool keep, int r, struct error *err)
{
	if (r == 0 && keep)
		r = database_commit(store->database, err);
	if (r < 0 || !keep)
		database_rollback(store->database);
	return r;
}

int change_look_for_image(struct store *store, const struct database_value *key, struct change *change,
			  struct error *err)
{
	return database_run(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT (SELECT COUNT(*) FROM images WHERE collection = $1 AND user_id = $2),"
		       " (SELECT COUNT(*) FROM images WHERE collection = $1 AND user_id = $2 AND image_id = $3),"
		       " (SELECT COUNT(*) FROM embeddings WHERE collection = $1 AND user_id = $2 AND image_id = $3"
		       " AND model_id = $4)",
		.values = key,
		.value_count = 4,
		.fn = note_images,
		.arg = change},
	    err);
}

int change_put_person(struct store *store, const struct database_value *key, uint64_t version,
		      const struct people_command *removed, struct error *err)
{
	const struct database_value values[] = {key[0], key[1], database_integer((int64_t)version),
						database_integer(removed->accepted_ms), database_text(removed->id)};

	return database_execute(store->database,
				"INSERT INTO persons (collection, user_id, version, removed_accepted, removed_id)"
				" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (collection, user_id) DO UPDATE"
				" SET version = excluded.version, removed_accepted = excluded.removed_accepted,"
				" removed_id = excluded.removed_id",
				values, array_size(values), err);
}

int change_put_embedding(struct store *store, const struct database_value *key, const float *embedding, int dimension,
			 struct error *err)
{
	const struct database_value values[] = {key[0], key[1], key[2], key[3],
						database_bytes(embedding, (size_t)dimension * sizeof(float))};

	return database_execute(store->database, "INSERT INTO embeddings VALUES ($1, $2, $3, $4, $5)", values,
				array_size(values), err);
}

static int put_image(struct store *store, const struct database_value *key, const struct people_enrolment *e,
		     const struct change *change, struct error *err)
{
	const struct database_value image[] = {key[0], key[1], key[2], database_integer(e->command.accepted_ms),
					       database_bytes(e->crop_size > 0 ? e->crop : NULL, e->crop_size)};
	int r = change_put_person(store, key, change->version, &change->removed, err);

	if (r == 0 && !change->has_image)
		r = database_execute(store->database, "INSERT INTO images VALUES ($1, $2, $3, $4, $5)", image,
				     array_size(image), err);
	return r < 0 || !e->embedding ? r : change_put_embedding(store, key, e->embedding, e->dimension, err);
}

int change_enroll(struct store *store, const struct people_enrolment *e, enum people_outcome *outcome,
		  uint64_t *version, struct error *err)
{
	const struct database_value key[] = {database_text(e->collection), database_text(e->user_id),
					     database_text(e->command.id), database_text(e->model_id)};
	struct change change;
	int r = change_begin(store, key, &change, err);

	if (r == 0)
		r = change_look_for_image(store, key, &change, err);
	bool is_there = e->embedding ? change.has_embedding : change.has_image;
	*outcome = change_is_before(&e->command, &change.removed)            ? PEOPLE_SUPERSEDED
		   : is_there                                                ? PEOPLE_UNCHANGED
		   : !change.has_image && change.images >= PEOPLE_MAX_IMAGES ? PEOPLE_FULL
									     : PEOPLE_STORED;
	if (r == 0 && *outcome == PEOPLE_STORED)
		r = put_image(store, key, e, &change, err);
	r = change_end(store, *outcome == PEOPLE_STORED, r, err);
	if (r == 0)
		*version = *outcome == PEOPLE_STORED ? change.version : change.since;
	return r;
}

const float *change_read_vector(const void *bytes, size_t size, float copy[PEOPLE_MAX_DIMENSION], int *dimension)
{
	if (!bytes || size == 0 || size % sizeof(float) != 0 || size > PEOPLE_MAX_DIMENSION * sizeof(float))
		return NULL;
	*dimension = (int)(size / sizeof(float));
	memcpy(copy, bytes, size);
	for (int i = 0; i < *dimension; i++) {
		if (!isfinite(copy[i]))
			return NULL;
	}
	return copy;
}
