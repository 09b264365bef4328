/*
 * Rows that no program of ours wrote, in a store of the first schema: brought up to date, then read, carried away,
 * put back and erased. The input is a list of rows: a letter for the table, then its values.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/collections.h"
#include "store/migrations.h"
#include "store/people.h"
#include "store/store_private.h"

#define MAX_ROWS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static uint8_t next_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* t, b: text or bytes of a length; i: a number of 8 bytes; c, u, m, d: what good rows have; the rest is NULL. */
static struct database_value next_value(struct input *in)
{
	static const float vector[] = {0.6f, 0.8f};
	uint8_t type = next_byte(in);
	size_t length;
	uint64_t number = 0;

	switch (type) {
	case 't':
	case 'b':
		length = next_byte(in);
		length = length < (size_t)(in->end - in->at) ? length : (size_t)(in->end - in->at);
		in->at += length;
		return (struct database_value){
		    .type = type == 't' ? DATABASE_TEXT : DATABASE_BYTES, .data = in->at - length, .size = length};
	case 'i':
		for (int i = 0; i < 8; i++)
			number = number << 8 | next_byte(in);
		return database_integer((int64_t)number);
	case 'c':
		return database_text("c");
	case 'u':
		return database_text("ann");
	case 'm':
		return database_text("model");
	case 'd':
		return database_text("00000000-0000-7000-8000-000000000001");
	case 'v':
		return database_bytes(vector, sizeof(vector));
	default:
		return database_bytes(NULL, 0);
	}
}

static void put_rows(struct database *database, struct input *in)
{
	struct error err;

	(void)!database_execute(database, "PRAGMA foreign_keys = OFF", NULL, 0, &err);
	for (int i = 0; i < MAX_ROWS && in->at < in->end; i++) {
		uint8_t table = next_byte(in);
		struct database_value values[5];

		for (unsigned j = 0; j < 5; j++)
			values[j] = next_value(in);
		/* A row that is refused is not in the store: so much the better. */
		(void)!database_execute(database,
					table == 'V'   ? "UPDATE people_version SET version = $1"
					: table == 'P' ? "INSERT INTO persons VALUES ($1, $2, $3, $4, $5)"
					: table == 'I' ? "INSERT INTO images VALUES ($1, $2, $3, $4, $5)"
						       : "INSERT INTO embeddings VALUES ($1, $2, $3, $4, $5)",
					values, 5, &err);
	}
	(void)!database_execute(database, "PRAGMA foreign_keys = ON", NULL, 0, &err);
}

static int see_row(void *arg, const struct people_row *row)
{
	(void)arg;
	assert(row->dimension >= 1 && row->dimension <= PEOPLE_MAX_DIMENSION);
	return strlen(row->collection) + strlen(row->user_id) + strlen(row->image_id) > SIZE_MAX / 2 ? -1 : 0;
}

static int see_change(void *arg, uint64_t version, const char *collection, const char *user_id)
{
	(void)arg;
	(void)version;
	return strlen(collection) + strlen(user_id) > SIZE_MAX / 2 ? -1 : 0;
}

static int see_summary(void *arg, const struct collection_summary *summary, struct error *err)
{
	(void)arg;
	(void)err;
	return strlen(summary->collection) + strlen(summary->model_id) > SIZE_MAX / 2 ? -1 : 0;
}

static void assert_image(const struct collection_image *image)
{
	assert(strlen(image->collection) <= 128 && strlen(image->user_id) <= 128 &&
	       strlen(image->image_id) < UUID_SIZE);
	assert(image->crop_size <= PEOPLE_MAX_CROP_BYTES && (image->crop || image->crop_size == 0));
	assert((image->model_id != NULL) == (image->embedding != NULL));
}

static int add_embedding(void *arg, const struct collection_image *image, struct error *err)
{
	static const float vector[] = {0.8f, 0.6f};
	struct collection_image with = *image;
	bool added;

	assert_image(image);
	with.model_id = "another";
	with.embedding = vector;
	with.dimension = 2;
	(void)!collections_add_embedding(arg, &with, &added, err);
	return 0;
}

static int put_back(void *arg, const struct collection_image *image, struct error *err)
{
	enum people_outcome outcome;

	assert_image(image);
	(void)!collections_import(arg, image, &outcome, err);
	return 0;
}

static void read_people(struct store *store)
{
	struct people_person person;
	struct error err;
	uint64_t version;

	if (people_find(store, "c", "ann", "model", &person, &err) == 0) {
		assert(person.count <= PEOPLE_MAX_IMAGES && person.dimension <= PEOPLE_MAX_DIMENSION);
		people_finish(&person);
	}
	(void)!people_load(store, NULL, "model", &version, see_row, NULL, &err);
	(void)!people_load(store, "c", "model", &version, see_row, NULL, &err);
	(void)!people_changes(store, 0, 100, see_change, NULL, &err);
}

/* Each page has an image or is the last. */
static void fill(struct store *store, const char *collection)
{
	struct collection_cursor cursor = {0};
	struct error err;
	int pages = 0;

	while (collections_missing(store, collection, "another", &cursor, 1, add_embedding, store, &err) > 0)
		assert(++pages <= MAX_ROWS);
}

static void read_collections(struct store *store)
{
	const struct people_command command = {.accepted_ms = 1000, .id = "00000000-0000-7000-8000-000000000002"};
	struct error err;
	uint64_t count, version;
	unsigned persons;

	(void)!collections_list(store, see_summary, NULL, &err);
	(void)!collections_count_images(store, "c", NULL, &count, &err);
	fill(store, "c");
	fill(store, NULL);
	(void)!collections_export(store, NULL, put_back, store, &err);
	(void)!collections_drop_model(store, "c", "model", &count, &err);
	(void)!collections_drop_model(store, NULL, "another", &count, &err);
	(void)!collections_erase(store, NULL, "ann", &command, &persons, &count, &version, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	struct store store;
	struct error err;

	assert(database_open(&store.database,
			     &(struct database_opening){.url = "sqlite::memory:", .timeout_ms = 1000, .creates = true},
			     &err) == 0);
	assert(migrations_apply_up_to(store.database, 1, &err) == 0);
	put_rows(store.database, &in);
	assert(migrations_apply(store.database, &err) == 0);
	read_people(&store);
	read_collections(&store);
	read_people(&store);
	database_close(store.database);
	return 0;
}
