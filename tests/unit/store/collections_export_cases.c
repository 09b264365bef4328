#include "collections_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "people_rig.h"
#include "store/store_private.h"

static struct store_settings other_settings = {.timeout_ms = 20000};

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
	assert_int_equal(unenroll("ann", 5, NULL), 2);
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
	struct seen_images seen = {0};
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
	struct seen_images seen = {0};
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

static int migrate_both(void **state)
{
	int r = rig_migrate(state);

	return r < 0 ? r : store_migrate(&other_settings, NULL, NULL, NULL);
}

int collections_export_cases_run(const char *url, const char *other_url)
{
	const struct CMUnitTest tests[] = {
	    PEOPLE_CASE(test_export_is_imported_elsewhere),  PEOPLE_CASE(test_import_respects_tombstones),
	    PEOPLE_CASE(test_import_refuses_what_cannot_be), PEOPLE_CASE(test_damaged_rows_are_left_out),
	    PEOPLE_CASE(test_impossible_names_are_left_out),
	};

	rig_settings.url = url;
	other_settings.url = other_url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, migrate_both, NULL);
}
