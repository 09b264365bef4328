/* Enrolling and unenrolling. Each change is one transaction that takes the version first and holds it to the end. */
#include <string.h>

#include "store/people.h"
#include "store/store_private.h"

/* What is known of a person when a command comes. */
struct state {
	uint64_t version; /* the next one */
	uint64_t since;   /* of the last change; 0: never heard of */
	struct people_command removed;
	char removed_id[UUID_SIZE];
	bool has_image;
	bool has_embedding;
	unsigned images;
};

static int note_integer(void *arg, const struct database_row *row, struct error *err)
{
	(void)err;
	*(uint64_t *)arg = (uint64_t)database_row_integer(row, 0);
	return 0;
}

static int count_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(unsigned *)arg;
	return 0;
}

static int note_removed(void *arg, const struct database_row *row, struct error *err)
{
	struct state *state = arg;

	(void)err;
	state->removed.accepted_ms = database_row_integer(row, 0);
	strncpy(state->removed_id, database_row_text(row, 1), sizeof(state->removed_id) - 1);
	state->since = (uint64_t)database_row_integer(row, 2);
	return 0;
}

static int note_images(void *arg, const struct database_row *row, struct error *err)
{
	struct state *state = arg;

	(void)err;
	state->images = (unsigned)database_row_integer(row, 0);
	state->has_image = database_row_integer(row, 1) > 0;
	state->has_embedding = database_row_integer(row, 2) > 0;
	return 0;
}

static bool is_before(const struct people_command *a, const struct people_command *b)
{
	return a->accepted_ms != b->accepted_ms ? a->accepted_ms < b->accepted_ms : strcmp(a->id, b->id) < 0;
}

/* The row of versions is locked until the end, so versions become visible in their order. */
static int begin(struct store *store, const struct database_value *values, struct state *state, struct error *err)
{
	*state = (struct state){.removed = {.accepted_ms = -1}};
	state->removed.id = state->removed_id;
	int r = database_begin(store->database, true, err);
	if (r == 0)
		r = database_run(store->database,
				 &(struct database_statement){
				     .sql = "UPDATE people_version SET version = version + 1 RETURNING version",
				     .fn = note_integer,
				     .arg = &state->version},
				 err);
	if (r == 0)
		r = database_run(
		    store->database,
		    &(struct database_statement){.sql = "SELECT removed_accepted, removed_id, version FROM persons"
							" WHERE collection = $1 AND user_id = $2",
						 .values = values,
						 .value_count = 2,
						 .fn = note_removed,
						 .arg = state},
		    err);
	return r;
}

/* Ends a transaction: `changes` false leaves everything, and the version, as it was. */
static int end(struct store *store, bool changes, int r, struct error *err)
{
	if (r == 0 && changes)
		r = database_commit(store->database, err);
	if (r < 0 || !changes)
		database_rollback(store->database);
	return r;
}

/* $1 collection, $2 user, $3 image, $4 model */
static int look_for_image(struct store *store, const struct database_value *values, struct state *state,
			  struct error *err)
{
	return database_run(
	    store->database,
	    &(struct database_statement){
		.sql = "SELECT (SELECT COUNT(*) FROM images WHERE collection = $1 AND user_id = $2),"
		       " (SELECT COUNT(*) FROM images WHERE collection = $1 AND user_id = $2 AND image_id = $3),"
		       " (SELECT COUNT(*) FROM embeddings WHERE collection = $1 AND user_id = $2 AND image_id = $3"
		       " AND model_id = $4)",
		.values = values,
		.value_count = 4,
		.fn = note_images,
		.arg = state},
	    err);
}

/* Writes a person's newest version, and (not NULL) the unenrolment that stands. */
static int put_person(struct store *store, const struct database_value *key, uint64_t version,
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

static int put_image(struct store *store, const struct database_value *key, const struct people_enrolment *e,
		     const struct state *state, struct error *err)
{
	const struct database_value image[] = {key[0], key[1], key[2], database_integer(e->command.accepted_ms),
					       database_bytes(e->crop_size > 0 ? e->crop : NULL, e->crop_size)};
	const struct database_value embedding[] = {key[0], key[1], key[2], key[3],
						   database_bytes(e->embedding, (size_t)e->dimension * sizeof(float))};
	int r = put_person(store, key, state->version, &state->removed, err);

	if (r == 0 && !state->has_image)
		r = database_execute(store->database, "INSERT INTO images VALUES ($1, $2, $3, $4, $5)", image,
				     array_size(image), err);
	if (r == 0)
		r = database_execute(store->database, "INSERT INTO embeddings VALUES ($1, $2, $3, $4, $5)", embedding,
				     array_size(embedding), err);
	return r;
}

int people_enroll(struct store *store, const struct people_enrolment *e, enum people_outcome *outcome,
		  uint64_t *version, struct error *err)
{
	const struct database_value key[] = {database_text(e->collection), database_text(e->user_id),
					     database_text(e->command.id), database_text(e->model_id)};
	struct state state;

	if (e->dimension < 1 || e->dimension > PEOPLE_MAX_DIMENSION || e->crop_size > PEOPLE_MAX_CROP_BYTES)
		return error_set(err, ERROR_INTERNAL, "an embedding of %d numbers, a crop of %zu bytes", e->dimension,
				 e->crop_size);
	int r = begin(store, key, &state, err);
	if (r == 0)
		r = look_for_image(store, key, &state, err);
	*outcome = is_before(&e->command, &state.removed)                  ? PEOPLE_SUPERSEDED
		   : state.has_embedding                                   ? PEOPLE_UNCHANGED
		   : !state.has_image && state.images >= PEOPLE_MAX_IMAGES ? PEOPLE_FULL
									   : PEOPLE_STORED;
	if (r == 0 && *outcome == PEOPLE_STORED)
		r = put_image(store, key, e, &state, err);
	r = end(store, *outcome == PEOPLE_STORED, r, err);
	if (r == 0)
		*version = *outcome == PEOPLE_STORED ? state.version : state.since;
	return r;
}

static int remove_images(struct store *store, const struct database_value *key, const struct people_command *command,
			 unsigned *removed, struct error *err)
{
	const struct database_value values[] = {key[0], key[1], database_integer(command->accepted_ms),
						database_text(command->id)};

	*removed = 0;
	return database_run(store->database,
			    &(struct database_statement){.sql =
							     "DELETE FROM images WHERE collection = $1 AND user_id = $2"
							     " AND (accepted < $3 OR (accepted = $3 AND image_id < $4))"
							     " RETURNING image_id",
							 .values = values,
							 .value_count = array_size(values),
							 .fn = count_row,
							 .arg = removed},
			    err);
}

int people_unenroll(struct store *store, const char *collection, const char *user_id,
		    const struct people_command *command, unsigned *removed, uint64_t *version, struct error *err)
{
	const struct database_value key[] = {database_text(collection), database_text(user_id)};
	struct state state;
	int r = begin(store, key, &state, err);

	if (r == 0)
		r = remove_images(store, key, command, removed, err);
	bool is_newest = is_before(&state.removed, command);
	bool changes = r == 0 && (*removed > 0 || is_newest);
	if (changes)
		r = put_person(store, key, state.version, is_newest ? command : &state.removed, err);
	r = end(store, changes, r, err);
	if (r == 0)
		*version = changes ? state.version : state.since;
	return r;
}
