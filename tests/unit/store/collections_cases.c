#include "collections_cases.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "people_rig.h"
#include "store/store_private.h"

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
	assert_int_equal(collections_count_images(store, collection, NULL, &images, NULL), 0);
	assert_int_equal(images, 5);
	assert_int_equal(collections_count_images(store, collection, MODEL, &images, NULL), 0);
	assert_int_equal(images, 3);
	assert_int_equal(collections_count_images(store, "nobody has this", NULL, &images, NULL), 0);
	assert_int_equal(images, 0);
}

/* --- what a model lacks --- */

static void test_missing_comes_in_pages(void **state)
{
	struct collection_cursor cursor = {0};
	struct seen_images seen = {0};

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
	struct seen_images seen = {.add = true};

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
	struct seen_images seen = {0};

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
	unenroll("ann", 5, NULL);
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
	assert_int_equal(collections_count_images(store, collection, NULL, &images, NULL), 0);
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

int collections_cases_run(const char *url)
{
	const struct CMUnitTest tests[] = {
	    PEOPLE_CASE(test_lists_collections_and_models),
	    PEOPLE_CASE(test_missing_comes_in_pages),
	    PEOPLE_CASE(test_missing_is_filled),
	    PEOPLE_CASE(test_missing_among_many),
	    PEOPLE_CASE(test_embedding_of_an_image_that_went),
	    PEOPLE_CASE(test_model_is_dropped),
	    PEOPLE_CASE(test_model_is_dropped_everywhere),
	    PEOPLE_CASE(test_somebody_is_erased_everywhere),
	};

	rig_settings.url = url;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rig_migrate, NULL);
}
