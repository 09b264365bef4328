/* Enrolling and unenrolling. */
#include "store/change.h"

int people_enroll(struct store *store, const struct people_enrolment *e, enum people_outcome *outcome,
		  uint64_t *version, struct error *err)
{
	if (!e->embedding || e->dimension < 1 || e->dimension > PEOPLE_MAX_DIMENSION ||
	    e->crop_size > PEOPLE_MAX_CROP_BYTES)
		return error_set(err, ERROR_INTERNAL, "an embedding of %d numbers, a crop of %zu bytes", e->dimension,
				 e->crop_size);
	return change_enroll(store, e, outcome, version, err);
}

static int count_row(void *arg, const struct database_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(unsigned *)arg;
	return 0;
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
	struct change change;
	int r = change_begin(store, key, &change, err);

	if (r == 0)
		r = remove_images(store, key, command, removed, err);
	bool is_newest = change_is_before(&change.removed, command);
	bool keep = r == 0 && (*removed > 0 || is_newest);
	if (keep)
		r = change_put_person(store, key, change.version, is_newest ? command : &change.removed, err);
	r = change_end(store, keep, r, err);
	if (r == 0)
		*version = keep ? change.version : change.since;
	return r;
}
