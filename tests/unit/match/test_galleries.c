#include "run.h"

#include <stdio.h>
#include <string.h>

#include "galleries.h"
#include "scratch_store.h"
#include "store/people.h"

#define MODEL "model-a"
#define DIMENSION 8

static struct scratch_store scratch;
static struct store *store;
static struct galleries *galleries;
static unsigned seen;

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	scratch_store_init(&scratch);
	assert_int_equal(store_open(&store, &scratch.settings, &err), 0);
	galleries = galleries_new(MODEL, DIMENSION);
	assert_non_null(galleries);
	seen = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	galleries_free(galleries);
	store_close(store);
	scratch_store_finish(&scratch);
	return 0;
}

static int on_seen(void *arg, const char *collection, const char *user_id, uint64_t version)
{
	(void)arg;
	(void)collection;
	(void)user_id;
	assert_true(version > 0);
	seen++;
	return 0;
}

static void follow(void)
{
	struct error err = {0};

	if (galleries_follow(galleries, store, on_seen, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* The best hit for a one at place `at`; "" when there is none that similar. */
static const char *who_has(const char *collection, unsigned at)
{
	static char user[64];
	const float threshold = 0.99f;
	float query[DIMENSION] = {0};
	struct gallery *gallery = galleries_find(galleries, collection);
	struct gallery_search *search = gallery_search_new();
	unsigned count;

	user[0] = '\0';
	query[at] = 1;
	if (gallery) {
		assert_int_equal(gallery_search_run(search, gallery, query, 1, 1, &threshold), 0);
		const struct gallery_hit *hits = gallery_search_hits(search, 0, &count);
		if (count > 0)
			snprintf(user, sizeof(user), "%s", hits[0].user_id);
	}
	gallery_search_free(search);
	return user;
}

static void test_loads_what_is_there(void **state)
{
	(void)state;
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	scratch_store_enroll(store, "staff", "ada", 2, MODEL, DIMENSION);
	scratch_store_enroll(store, "guests", "ada", 3, MODEL, DIMENSION);
	scratch_store_enroll(store, "guests", "bob", 4, MODEL, DIMENSION);
	scratch_store_enroll(store, "guests", "eve", 5, "model-b", DIMENSION);
	assert_false(galleries_are_loaded(galleries));
	follow();
	assert_true(galleries_are_loaded(galleries));
	assert_int_equal(galleries_size(galleries).users, 3);
	assert_int_equal(galleries_size(galleries).images, 4);
	assert_int_equal(galleries_version(galleries), 5);
	assert_string_equal(who_has("staff", 1), "ada");
	assert_string_equal(who_has("staff", 2), "ada");
	assert_string_equal(who_has("staff", 3), "");
	assert_string_equal(who_has("guests", 4), "bob");
	assert_string_equal(who_has("guests", 5), "");
	assert_int_equal(seen, 3);
}

static void test_follows_changes(void **state)
{
	(void)state;
	follow();
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	scratch_store_enroll(store, "staff", "bob", 2, MODEL, DIMENSION);
	follow();
	assert_string_equal(who_has("staff", 1), "ada");
	scratch_store_unenroll(store, "staff", "ada", 3);
	scratch_store_enroll(store, "staff", "bob", 4, MODEL, DIMENSION);
	follow();
	assert_string_equal(who_has("staff", 1), "");
	assert_string_equal(who_has("staff", 4), "bob");
	assert_int_equal(seen, 4);
	follow();
	assert_int_equal(seen, 4);
}

/* More than one page of changes at once. */
static void test_catches_up_with_many(void **state)
{
	char user[32];

	(void)state;
	follow();
	for (unsigned i = 1; i <= 2345; i++) {
		snprintf(user, sizeof(user), "user-%u", i);
		scratch_store_enroll(store, "staff", user, i, MODEL, DIMENSION);
	}
	follow();
	assert_int_equal(galleries_size(galleries).users, 2345);
	assert_int_equal(galleries_version(galleries), 2345);
}

static void test_other_dimensions_are_left_out(void **state)
{
	(void)state;
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION / 2);
	scratch_store_enroll(store, "staff", "bob", 2, MODEL, DIMENSION);
	follow();
	assert_int_equal(galleries_size(galleries).users, 1);
	scratch_store_enroll(store, "staff", "eve", 3, MODEL, DIMENSION * 2);
	follow();
	assert_int_equal(galleries_size(galleries).users, 1);
	assert_string_equal(who_has("staff", 2), "bob");
}

/* A store put back from a copy knows less: what is in memory cannot be trusted any more. */
static void test_a_store_that_went_back_is_fatal(void **state)
{
	struct scratch_store older;
	struct store *other;
	struct error err = {0};

	(void)state;
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	scratch_store_enroll(store, "staff", "bob", 2, MODEL, DIMENSION);
	follow();
	scratch_store_init(&older);
	assert_int_equal(store_open(&other, &older.settings, &err), 0);
	scratch_store_enroll(other, "staff", "ada", 1, MODEL, DIMENSION);
	assert_true(galleries_follow(galleries, other, on_seen, NULL, &err) < 0);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	store_close(other);
	scratch_store_finish(&older);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_loads_what_is_there),
    CASE(test_follows_changes),
    CASE(test_catches_up_with_many),
    CASE(test_other_dimensions_are_left_out),
    CASE(test_a_store_that_went_back_is_fatal),
};

RUN_TESTS(tests)
