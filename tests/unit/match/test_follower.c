#include "run.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "follower.h"
#include "scratch_store.h"
#include "wait.h"

#define MODEL "model-a"
#define DIMENSION 8
#define NEVER_MS 600000

/* One worker's knowledge of people. */
struct listener {
	struct metrics *metrics;
	struct galleries *galleries;
	struct people_cache *cache;
	struct follower *follower;
};

static struct scratch_store scratch;
static struct listener listener;
static struct store *store; /* the one who changes things */

static int start(int64_t poll_ms, struct error *err)
{
	listener.metrics = metrics_new();
	listener.galleries = galleries_new(MODEL, DIMENSION);
	const struct people_cache_settings cache = {
	    .max_bytes = 1 << 20, .model_id = MODEL, .dimension = DIMENSION, .metrics = listener.metrics};
	listener.cache = people_cache_new(&cache);
	assert_true(listener.metrics && listener.galleries && listener.cache);
	const struct follower_settings settings = {
	    .store = scratch.settings,
	    .galleries = listener.galleries,
	    .cache = listener.cache,
	    .poll_ms = poll_ms,
	    .metrics = listener.metrics,
	};
	return follower_start(&listener.follower, &settings, err);
}

static void start_well(int64_t poll_ms)
{
	struct error err = {0};

	if (start(poll_ms, &err) < 0)
		fail_msg("%s", err.text);
}

static void open_store(const struct store_settings *settings)
{
	struct error err = {0};

	if (store_open(&store, settings, &err) < 0)
		fail_msg("%s", err.text);
}

static void wait_for_version(uint64_t version)
{
	WAIT_UNTIL(galleries_version(listener.galleries) >= version);
}

static int set_up_bare(void **state)
{
	(void)state;
	listener = (struct listener){0};
	store = NULL;
	scratch_store_init_bare(&scratch);
	return 0;
}

static int set_up(void **state)
{
	set_up_bare(state);
	scratch_store_migrate(&scratch);
	open_store(&scratch.settings);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	follower_stop(listener.follower);
	people_cache_free(listener.cache);
	galleries_free(listener.galleries);
	metrics_free(listener.metrics);
	store_close(store);
	scratch_store_finish(&scratch);
	return 0;
}

static void test_is_loaded_when_it_has_started(void **state)
{
	(void)state;
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	start_well(NEVER_MS);
	assert_true(galleries_are_loaded(listener.galleries));
	assert_int_equal(galleries_size(listener.galleries).users, 1);
}

static void test_what_it_hears_of_is_there(void **state)
{
	(void)state;
	start_well(NEVER_MS);
	for (unsigned i = 1; i <= 20; i++) {
		scratch_store_enroll(store, "staff", "ada", i, MODEL, DIMENSION);
		follower_hear(listener.follower, i);
		wait_for_version(i);
	}
}

static void test_what_nobody_tells_is_found_too(void **state)
{
	(void)state;
	start_well(50);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	wait_for_version(1);
}

/* Somebody's word of a version that the store does not have leads nowhere, and not into a loop. */
static void test_rumours_are_harmless(void **state)
{
	struct error err = {0};

	(void)state;
	start_well(NEVER_MS);
	follower_hear(listener.follower, UINT64_MAX);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	follower_hear(listener.follower, 1);
	wait_for_version(1);
	assert_false(follower_failed(listener.follower, &err));
}

static void test_a_store_without_schema_is_fatal(void **state)
{
	struct error err = {0};

	(void)state;
	assert_true(start(NEVER_MS, &err) < 0);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	assert_non_null(strstr(err.text, "facefleet store migrate"));
}

/* A store that cannot be reached is no reason not to start. */
static void test_a_store_that_comes_later_is_found(void **state)
{
	struct scratch_store elsewhere;

	(void)state;
	assert_int_equal(rmdir(scratch.folder), 0);
	start_well(20);
	assert_false(galleries_are_loaded(listener.galleries));
	scratch_store_init(&elsewhere);
	open_store(&elsewhere.settings);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	store_close(store);
	store = NULL;
	assert_int_equal(rename(elsewhere.folder, scratch.folder), 0);
	wait_for_version(1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_is_loaded_when_it_has_started),
    CASE(test_what_it_hears_of_is_there),
    CASE(test_what_nobody_tells_is_found_too),
    CASE(test_rumours_are_harmless),
    cmocka_unit_test_setup_teardown(test_a_store_without_schema_is_fatal, set_up_bare, tear_down),
    cmocka_unit_test_setup_teardown(test_a_store_that_comes_later_is_found, set_up_bare, tear_down),
};

RUN_TESTS(tests)
