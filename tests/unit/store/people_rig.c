#include "people_rig.h"

#include <stdio.h>
#include <string.h>

char collection[32];

int people_rig_set_up(void **state)
{
	int r = rig_set_up(state);

	snprintf(collection, sizeof(collection), "collection-%u", rig_number);
	return r;
}

void image_id(unsigned number, char out[UUID_SIZE])
{
	snprintf(out, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
}

void fill(float vector[DIMENSION], unsigned number)
{
	for (unsigned i = 0; i < DIMENSION; i++)
		vector[i] = (float)number + (float)i / 8;
}

struct collection_image make_image(const char *user, unsigned number, const char *model, char id[UUID_SIZE],
				   float vector[DIMENSION])
{
	image_id(number, id);
	fill(vector, number);
	return (struct collection_image){
	    .collection = collection,
	    .user_id = user,
	    .image_id = id,
	    .accepted_ms = 1000 + number,
	    .crop = (const uint8_t *)"jpeg",
	    .crop_size = 4,
	    .model_id = model,
	    .embedding = model ? vector : NULL,
	    .dimension = model ? DIMENSION : 0,
	};
}

enum people_outcome import_into(struct store *into, const struct collection_image *image)
{
	enum people_outcome outcome;
	struct error err = {0};

	if (collections_import(into, image, &outcome, &err) < 0)
		fail_msg("%s", err.text);
	return outcome;
}

enum people_outcome import(const char *user, unsigned number, const char *model)
{
	char id[UUID_SIZE];
	float vector[DIMENSION];
	const struct collection_image image = make_image(user, number, model, id, vector);

	return import_into(store, &image);
}

bool add(const char *user, unsigned number, const char *model)
{
	char id[UUID_SIZE];
	float vector[DIMENSION];
	const struct collection_image image = make_image(user, number, model, id, vector);
	struct error err = {0};
	bool added;

	if (collections_add_embedding(store, &image, &added, &err) < 0)
		fail_msg("%s", err.text);
	return added;
}

unsigned unenroll(const char *user, unsigned number, uint64_t *version)
{
	char id[UUID_SIZE];
	struct error err = {0};
	unsigned removed;
	uint64_t ignored;

	image_id(number, id);
	struct people_command command = {.accepted_ms = 1000 + number, .id = id};
	if (people_unenroll(store, collection, user, &command, &removed, version ? version : &ignored, &err) < 0)
		fail_msg("%s", err.text);
	return removed;
}

struct people_person find(const char *user, const char *model)
{
	struct people_person person;
	struct error err = {0};

	if (people_find(store, collection, user, model, &person, &err) < 0)
		fail_msg("%s", err.text);
	return person;
}

unsigned count_found(const char *user, const char *model)
{
	struct people_person person = find(user, model);
	unsigned count = person.count;

	people_finish(&person);
	return count;
}

uint64_t newest(void)
{
	uint64_t version;

	assert_int_equal(people_version(store, &version, NULL), 0);
	return version;
}

static int see_missing(void *arg, const struct collection_image *image, struct error *err)
{
	struct seen_images *seen = arg;

	if (strcmp(image->collection, collection) != 0)
		return 0;
	if (seen->count + 1 == seen->fail_at)
		return error_set(err, ERROR_INTERNAL, "enough");
	assert_null(image->model_id);
	assert_null(image->embedding);
	assert_true(seen->count < 16);
	snprintf(seen->users[seen->count], sizeof(seen->users[0]), "%s", image->user_id);
	seen->crop_sizes[seen->count++] = image->crop_size;
	if (seen->add)
		assert_true(add(image->user_id, (unsigned)(image->accepted_ms - 1000), OTHER_MODEL));
	return 0;
}

int missing(const char *in, struct collection_cursor *cursor, unsigned limit, struct seen_images *seen)
{
	struct error err = {0};

	return collections_missing(store, in, OTHER_MODEL, cursor, limit, see_missing, seen, &err);
}
