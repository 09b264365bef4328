#include "../run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "collections_cases.h"
#include "store/collections.h"
#include "store/store_private.h"

#define MODEL "model-a"
#define OTHER_MODEL "model-b"
#define DIMENSION 4

static struct store_settings settings = {.timeout_ms = 20000};
static struct store_settings other_settings = {.timeout_ms = 20000};
static struct store *store;

/* Every test has a collection of its own. */
static char collection[32];

static int set_up(void **state)
{
	static unsigned number;

	(void)state;
	snprintf(collection, sizeof(collection), "collection-%u", number++);
	return store_open(&store, &settings, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void image_id(unsigned number, char out[UUID_SIZE])
{
	snprintf(out, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
}

static void fill(float vector[DIMENSION], unsigned number)
{
	for (unsigned i = 0; i < DIMENSION; i++)
		vector[i] = (float)number + (float)i / 8;
}

/* An image with everything; `id` and `vector` are its memory. */
static struct collection_image make_image(const char *user, unsigned number, const char *model, char id[UUID_SIZE],
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

static enum people_outcome import_into(struct store *into, const struct collection_image *image)
{
	enum people_outcome outcome;
	struct error err = {0};

	if (collections_import(into, image, &outcome, &err) < 0)
		fail_msg("%s", err.text);
	return outcome;
}

static enum people_outcome import(const char *user, unsigned number, const char *model)
{
	char id[UUID_SIZE];
	float vector[DIMENSION];
	const struct collection_image image = make_image(user, number, model, id, vector);

	return import_into(store, &image);
}

static bool add(const char *user, unsigned number, const char *model)
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

static unsigned unenroll(const char *user, unsigned number)
{
	char id[UUID_SIZE];
	struct error err = {0};
	unsigned removed;
	uint64_t version;

	image_id(number, id);
	const struct people_command command = {.accepted_ms = 1000 + number, .id = id};
	if (people_unenroll(store, collection, user, &command, &removed, &version, &err) < 0)
		fail_msg("%s", err.text);
	return removed;
}

static unsigned count_found(const char *user, const char *model)
{
	struct people_person person;
	struct error err = {0};

	if (people_find(store, collection, user, model, &person, &err) < 0)
		fail_msg("%s", err.text);
	unsigned count = person.count;
	people_finish(&person);
	return count;
}

static uint64_t newest(void)
{
	uint64_t version;

	assert_int_equal(people_version(store, &version, NULL), 0);
	return version;
}

/* --- what there is --- */

struct listing {
	struct buffer lines;
};

static int see_summary(void *arg, const struct collection_summary *s, struct error *err)
{
	struct listing *listing = arg;

	(void)err;
	if (strcmp(s->collection, collection) != 0)
		return 0;
	return buffer_printf(&listing->lines, "%s %d %d %d\n", s->model_id, (int)s->users, (int)s->images,
			     (int)s->all_images);
}

static void test_lists_collections_and_models(void **state)
{
	struct listing listing = {0};
	uint64_t images;

	(void)state;
	import("ann", 1, MODEL);
	import("ann", 2, MODEL);
	import("ann", 2, OTHER_MODEL);
	import("bob", 3, MODEL);
	import("cid", 4, NULL);
	import("cid", 5, NULL);
	assert_int_equal(collections_list(store, see_summary, &listing, NULL), 0);
	assert_string_equal((const char *)listing.lines.data, " 1 2 5\n" MODEL " 2 3 5\n" OTHER_MODEL " 1 1 5\n");
	buffer_finish(&listing.lines);
	assert_int_equal(collections_count_images(store, collection, &images, NULL), 0);
	assert_int_equal(images, 5);
	assert_int_equal(collections_count_images(store, "nobody has this", &images, NULL), 0);
	assert_int_equal(images, 0);
}

/* --- what a model lacks --- */

struct seen {
	unsigned count;
	unsigned fail_at; /* 0: never */
	bool add;
	char users[16][16];
	size_t crop_sizes[16];
};

static int see_missing(void *arg, const struct collection_image *image, struct error *err)
{
	struct seen *seen = arg;

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

static int missing(const char *in, struct collection_cursor *cursor, unsigned limit, struct seen *seen)
{
	struct error err = {0};

	return collections_missing(store, in, OTHER_MODEL, cursor, limit, see_missing, seen, &err);
}

static void test_missing_comes_in_pages(void **state)
{
	struct collection_cursor cursor = {0};
	struct seen seen = {0};

	(void)state;
	import("cid", 1, MODEL);
	import("ann", 2, MODEL);
	import("bob", 3, MODEL);
	import("ann", 4, NULL);
	import("bob", 5, OTHER_MODEL);
	import("dan", 6, MODEL);
	assert_int_equal(missing(collection, &cursor, 2, &seen), 2);
	assert_int_equal(missing(collection, &cursor, 2, &seen), 2);
	seen.fail_at = 5;
	assert_true(missing(collection, &cursor, 2, &seen) < 0);
	seen.fail_at = 0;
	assert_int_equal(missing(collection, &cursor, 2, &seen), 1);
	assert_int_equal(missing(collection, &cursor, 2, &seen), 0);
	assert_int_equal(seen.count, 5);
	assert_string_equal(seen.users[0], "ann");
	assert_string_equal(seen.users[1], "ann");
	assert_string_equal(seen.users[2], "bob");
	assert_string_equal(seen.users[3], "cid");
	assert_string_equal(seen.users[4], "dan");
	assert_int_equal(seen.crop_sizes[0], 4);
}

/* The reader of a page may use the store. */
static void test_missing_is_filled(void **state)
{
	struct collection_cursor cursor = {0};
	struct seen seen = {.add = true};

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		import(i % 2 ? "ann" : "bob", i, MODEL);
	while (missing(NULL, &cursor, 3, &seen) > 0)
		continue;
	assert_int_equal(seen.count, 9);
	cursor = (struct collection_cursor){0};
	assert_int_equal(missing(collection, &cursor, 100, &seen), 0);
	assert_int_equal(count_found("ann", OTHER_MODEL), 4);
	assert_int_equal(count_found("bob", OTHER_MODEL), 5);
}

static void execute(const char *sql)
{
	static const float vector[] = {1, 2};
	const struct database_value values[] = {database_text(collection), database_bytes(vector, sizeof(vector))};
	struct error err = {0};

	if (database_execute(store->database, sql, values, 2, &err) < 0)
		fail_msg("%s", err.text);
}

/* What lacks something may be far behind much that does not. */
static void test_missing_among_many(void **state)
{
	struct collection_cursor cursor = {0};
	struct seen seen = {0};

	(void)state;
	import("ann", 1, MODEL);
	execute("INSERT INTO images WITH RECURSIVE n(i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 13500)"
		" SELECT CAST($1 AS TEXT), 'ann', 'image-' || i, 1, NULL FROM n");
	execute("INSERT INTO embeddings SELECT collection, user_id, image_id, '" OTHER_MODEL "', $2 FROM images"
		" WHERE collection = $1 AND image_id LIKE 'image-%'");
	import("bob", 2, MODEL);
	assert_int_equal(missing(collection, &cursor, 1, &seen), 1);
	assert_string_equal(seen.users[0], "ann");
	assert_int_equal(missing(collection, &cursor, 1, &seen), 1);
	assert_string_equal(seen.users[1], "bob");
	assert_int_equal(missing(collection, &cursor, 1, &seen), 0);
	cursor = (struct collection_cursor){0};
	assert_int_equal(missing(collection, &cursor, 5, &seen), 1);
	assert_int_equal(missing(collection, &cursor, 5, &seen), 1);
	assert_int_equal(missing(collection, &cursor, 5, &seen), 0);
}

static void test_embedding_of_an_image_that_went(void **state)
{
	uint64_t before;

	(void)state;
	import("ann", 1, MODEL);
	import("ann", 7, MODEL);
	unenroll("ann", 5);
	before = newest();
	assert_false(add("ann", 1, OTHER_MODEL));
	assert_false(add("bob", 1, OTHER_MODEL));
	assert_int_equal(newest(), before);
	assert_true(add("ann", 7, OTHER_MODEL));
	assert_int_equal(newest(), before + 1);
	assert_false(add("ann", 7, OTHER_MODEL));
	assert_int_equal(newest(), before + 1);
	assert_int_equal(count_found("ann", OTHER_MODEL), 1);
	assert_int_equal(import("ann", 4, MODEL), PEOPLE_SUPERSEDED); /* the tombstone still stands */
}

/* --- carried away --- */

static int write_line(void *arg, const struct collection_image *image, struct error *err)
{
	struct buffer *lines = arg;

	(void)err;
	if (strcmp(image->collection, collection) != 0)
		return 0;
	assert_int_equal(buffer_printf(lines, "%s %s %lld %.*s %s", image->user_id, image->image_id,
				       (long long)image->accepted_ms, (int)image->crop_size,
				       image->crop ? (const char *)image->crop : "-",
				       image->model_id ? image->model_id : "-"),
			 0);
	for (int i = 0; i < image->dimension; i++)
		assert_int_equal(buffer_printf(lines, " %.9g", (double)image->embedding[i]), 0);
	return buffer_append(lines, "\n", 1);
}

static char *export_lines(struct store *from, const char *in)
{
	struct buffer lines = {0};
	struct error err = {0};

	if (collections_export(from, in, write_line, &lines, &err) < 0)
		fail_msg("%s", err.text);
	return lines.data ? (char *)buffer_steal(&lines) : strdup("");
}

static int carry(void *arg, const struct collection_image *image, struct error *err)
{
	(void)err;
	if (strcmp(image->collection, collection) == 0)
		assert_int_equal(import_into(arg, image), PEOPLE_STORED);
	return 0;
}

static void import_many(void)
{
	for (unsigned i = 0; i < 40; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user-%u", i % 7);
		import(user, i, i % 5 ? MODEL : NULL);
		if (i % 3)
			import(user, i, OTHER_MODEL);
	}
	char id[UUID_SIZE];
	float vector[DIMENSION];
	struct collection_image image = make_image("\xc3\xa9 '; --", 50, MODEL, id, vector);
	image.crop = NULL;
	image.crop_size = 0;
	import_into(store, &image);
}

static void test_export_is_imported_elsewhere(void **state)
{
	struct store *other;
	struct error err = {0};

	(void)state;
	import_many();
	if (store_open(&other, &other_settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(collections_export(store, NULL, carry, other, &err), 0);
	char *lines = export_lines(store, collection);
	char *other_lines = export_lines(other, collection);
	char *all_lines = export_lines(store, NULL);
	unsigned count = 0;
	for (const char *at = lines; (at = strchr(at, '\n')); at++)
		count++;
	/* 41 images, of which 12 have two models and 2 have none */
	assert_true(count > 50);
	assert_string_equal(lines, all_lines);
	assert_string_equal(lines, other_lines);
	free(lines);
	free(all_lines);
	free(other_lines);
	store_close(other);
}

static void test_import_respects_tombstones(void **state)
{
	(void)state;
	assert_int_equal(import("ann", 1, MODEL), PEOPLE_STORED);
	assert_int_equal(import("ann", 1, MODEL), PEOPLE_UNCHANGED);
	assert_int_equal(import("ann", 1, NULL), PEOPLE_UNCHANGED);
	assert_int_equal(import("ann", 2, NULL), PEOPLE_STORED);
	assert_int_equal(import("ann", 2, NULL), PEOPLE_UNCHANGED);
	assert_int_equal(import("ann", 2, MODEL), PEOPLE_STORED);
	assert_int_equal(unenroll("ann", 5), 2);
	assert_int_equal(import("ann", 1, MODEL), PEOPLE_SUPERSEDED);
	assert_int_equal(import("ann", 2, NULL), PEOPLE_SUPERSEDED);
	for (unsigned i = 0; i < PEOPLE_MAX_IMAGES; i++)
		assert_int_equal(import("ann", 10 + i, NULL), PEOPLE_STORED);
	assert_int_equal(import("ann", 100, NULL), PEOPLE_FULL);
}

static void refuse_import(const struct collection_image *image)
{
	struct error err = {0};
	enum people_outcome outcome;

	assert_true(collections_import(store, image, &outcome, &err) < 0);
	assert_int_equal(err.code, ERROR_INVALID_JOB);
}

static void test_import_refuses_what_cannot_be(void **state)
{
	char id[UUID_SIZE];
	float vector[DIMENSION];
	const struct collection_image good = make_image("ann", 1, MODEL, id, vector);
	struct collection_image bad;
	char long_name[130];

	(void)state;
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	const char *const names[] = {"", long_name, "\xff"};
	for (unsigned i = 0; i < 3; i++) {
		bad = good;
		bad.collection = names[i];
		refuse_import(&bad);
		bad = good;
		bad.user_id = names[i];
		refuse_import(&bad);
		bad = good;
		bad.image_id = names[i];
		refuse_import(&bad);
		bad = good;
		bad.model_id = names[i];
		refuse_import(&bad);
	}
	bad = good;
	bad.accepted_ms = -1;
	refuse_import(&bad);
	bad = good;
	bad.crop_size = PEOPLE_MAX_CROP_BYTES + 1;
	refuse_import(&bad);
	bad = good;
	bad.dimension = 0;
	refuse_import(&bad);
	bad = good;
	bad.dimension = PEOPLE_MAX_DIMENSION + 1;
	refuse_import(&bad);
	bad = good;
	bad.model_id = NULL;
	refuse_import(&bad);
	vector[2] = NAN;
	refuse_import(&good);
	assert_int_equal(count_found("ann", MODEL), 0);
}

/* --- a model goes --- */

static int see_change(void *arg, uint64_t version, const char *in, const char *user)
{
	(void)version;
	(void)user;
	assert_string_equal(in, collection);
	++*(unsigned *)arg;
	return 0;
}

static void test_model_is_dropped(void **state)
{
	uint64_t removed, images;
	unsigned changes = 0;

	(void)state;
	for (unsigned i = 0; i < 230; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user-%u", i % 215);
		import(user, i, MODEL);
	}
	import("user-3", 3, OTHER_MODEL);
	uint64_t before = newest();
	assert_int_equal(collections_drop_model(store, "another", MODEL, &removed, NULL), 0);
	assert_int_equal(removed, 0);
	assert_int_equal(newest(), before);
	assert_int_equal(collections_drop_model(store, collection, MODEL, &removed, NULL), 0);
	assert_int_equal(removed, 230);
	assert_int_equal(newest(), before + 215);
	assert_int_equal(people_changes(store, before, 1000, see_change, &changes, NULL), 0);
	assert_int_equal(changes, 215);
	assert_int_equal(count_found("user-3", MODEL), 0);
	assert_int_equal(count_found("user-3", OTHER_MODEL), 1);
	assert_int_equal(collections_count_images(store, collection, &images, NULL), 0);
	assert_int_equal(images, 230);
}

static void test_model_is_dropped_everywhere(void **state)
{
	uint64_t removed;

	(void)state;
	import("ann", 1, "model-of-this-test");
	collection[0] = 'C';
	import("ann", 1, "model-of-this-test");
	import("ann", 2, MODEL);
	assert_int_equal(collections_drop_model(store, NULL, "model-of-this-test", &removed, NULL), 0);
	assert_int_equal(removed, 2);
	assert_int_equal(count_found("ann", "model-of-this-test"), 0);
	assert_int_equal(count_found("ann", MODEL), 1);
}

/* --- somebody goes --- */

static void test_somebody_is_erased_everywhere(void **state)
{
	char id[UUID_SIZE];
	uint64_t images, version;
	unsigned persons;

	(void)state;
	import("somebody", 1, MODEL);
	import("somebody", 2, MODEL);
	import("bob", 3, MODEL);
	collection[0] = 'C';
	import("somebody", 4, MODEL);
	image_id(100, id);
	const struct people_command command = {.accepted_ms = 1100, .id = id};
	assert_int_equal(collections_erase(store, NULL, "somebody", &command, &persons, &images, &version, NULL), 0);
	assert_int_equal(persons, 2);
	assert_int_equal(images, 3);
	assert_int_equal(version, newest());
	assert_int_equal(import("somebody", 5, MODEL), PEOPLE_SUPERSEDED);
	collection[0] = 'c';
	assert_int_equal(import("somebody", 1, MODEL), PEOPLE_SUPERSEDED);
	assert_int_equal(count_found("bob", MODEL), 1);
	assert_int_equal(collections_erase(store, NULL, "somebody", &command, &persons, &images, &version, NULL), 0);
	assert_int_equal(persons, 0);
	assert_int_equal(version, newest());
	assert_int_equal(collections_erase(store, collection, "bob", &command, &persons, &images, &version, NULL), 0);
	assert_int_equal(persons, 1);
	assert_int_equal(images, 1);
}

/* --- what no program of ours wrote --- */

static void damage(const char *sql, const char *user, const void *bytes, size_t size)
{
	const struct database_value values[] = {database_text(collection), database_text(user),
						database_bytes(bytes, size)};
	struct error err = {0};

	if (database_execute(store->database, sql, values, 3, &err) < 0)
		fail_msg("%s", err.text);
}

static void test_damaged_rows_are_left_out(void **state)
{
	static const char set_vector[] = "UPDATE embeddings SET vector = $3 WHERE collection = $1 AND user_id = $2";
	static const char set_crop[] = "UPDATE images SET crop = $3 WHERE collection = $1 AND user_id = $2";
	static const float not_a_number[DIMENSION] = {1, NAN, 0, 0};
	struct collection_cursor cursor = {0};
	struct seen seen = {0};
	size_t much = PEOPLE_MAX_CROP_BYTES + 1;
	char *zeros = calloc(1, much);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		const char *const users[] = {"ann", "bob", "cid", "dan", "eve"};

		import(users[i], i, MODEL);
	}
	damage(set_vector, "ann", "odd", 3);
	damage(set_vector, "bob", not_a_number, sizeof(not_a_number));
	damage(set_vector, "cid", zeros, (PEOPLE_MAX_DIMENSION + 1) * sizeof(float));
	damage(set_crop, "dan", zeros, much);
	free(zeros);
	char *lines = export_lines(store, collection);
	assert_string_equal(lines, "ann 00000000-0000-7000-8000-000000000000 1000 jpeg -\n"
				   "bob 00000000-0000-7000-8000-000000000001 1001 jpeg -\n"
				   "cid 00000000-0000-7000-8000-000000000002 1002 jpeg -\n"
				   "dan 00000000-0000-7000-8000-000000000003 1003  " MODEL " 3 3.125 3.25 3.375\n"
				   "eve 00000000-0000-7000-8000-000000000004 1004 jpeg " MODEL " 4 4.125 4.25 4.375\n");
	free(lines);
	assert_int_equal(missing(collection, &cursor, 10, &seen), 5);
	assert_int_equal(seen.crop_sizes[3], 0);
	assert_int_equal(seen.crop_sizes[4], 4);
}

/* Names that do not fit a cursor: reading gets past them, however small the pages. */
static void test_impossible_names_are_left_out(void **state)
{
	static const char person[] = "INSERT INTO persons (collection, user_id, version)"
				     " SELECT $1, $2, MIN(version) - 1 FROM persons";
	static const char image[] = "INSERT INTO images VALUES ($1, $2, 'x', 1, $3)";
	struct collection_cursor cursor = {0};
	struct seen seen = {0};
	char name[200];

	(void)state;
	memset(name, 'b', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	import("ann", 1, MODEL);
	for (unsigned i = 0; i < 3; i++) {
		name[0] = (char)('b' + i);
		damage(person, name, NULL, 0);
		damage(image, name, "crop", 4);
	}
	import("cid", 2, MODEL);
	import("eve", 3, MODEL);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(missing(collection, &cursor, 1, &seen), 1);
	assert_int_equal(missing(collection, &cursor, 1, &seen), 0);
	assert_string_equal(seen.users[2], "eve");
	char *lines = export_lines(store, collection);
	assert_null(strstr(lines, "bbbb"));
	assert_non_null(strstr(lines, "eve"));
	free(lines);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int collections_cases_run(const char *url, const char *other_url)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_lists_collections_and_models),
	    CASE(test_missing_comes_in_pages),
	    CASE(test_missing_among_many),
	    CASE(test_missing_is_filled),
	    CASE(test_embedding_of_an_image_that_went),
	    CASE(test_export_is_imported_elsewhere),
	    CASE(test_import_respects_tombstones),
	    CASE(test_import_refuses_what_cannot_be),
	    CASE(test_model_is_dropped),
	    CASE(test_model_is_dropped_everywhere),
	    CASE(test_somebody_is_erased_everywhere),
	    CASE(test_damaged_rows_are_left_out),
	    CASE(test_impossible_names_are_left_out),
	};
	struct error err = {0};

	settings.url = url;
	other_settings.url = other_url;
	if (store_migrate(&settings, NULL, NULL, &err) < 0 || store_migrate(&other_settings, NULL, NULL, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		return 1;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
