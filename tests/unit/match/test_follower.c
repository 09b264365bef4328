#include "run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "follower.h"
#include "scratch_store.h"

#define MODEL "model-a"
#define DIMENSION 8
#define PATIENCE_MS 20000
#define NEVER_MS 600000

/* One worker's knowledge of people. */
struct listener {
	struct metrics *metrics;
	struct galleries *galleries;
	struct people_cache *cache;
	struct follower *follower;
};

static struct scratch_store scratch;

static int start(struct listener *l, int64_t poll_ms, struct error *err)
{
	l->metrics = metrics_new();
	l->galleries = galleries_new(MODEL, DIMENSION);
	const struct people_cache_settings cache = {
	    .max_bytes = 1 << 20, .model_id = MODEL, .dimension = DIMENSION, .metrics = l->metrics};
	l->cache = people_cache_new(&cache);
	assert_true(l->metrics && l->galleries && l->cache);
	const struct follower_settings settings = {
	    .store = scratch.settings,
	    .galleries = l->galleries,
	    .cache = l->cache,
	    .poll_ms = poll_ms,
	    .metrics = l->metrics,
	};
	return follower_start(&l->follower, &settings, err);
}

static void end(struct listener *l)
{
	follower_stop(l->follower);
	people_cache_free(l->cache);
	galleries_free(l->galleries);
	metrics_free(l->metrics);
}

static struct store *open_store(void)
{
	struct store *store;
	struct error err = {0};

	if (store_open(&store, &scratch.settings, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

static bool reaches(struct listener *l, uint64_t version)
{
	int64_t until = clock_monotonic_ms() + PATIENCE_MS;

	while (galleries_version(l->galleries) < version && clock_monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return galleries_version(l->galleries) >= version;
}

static int set_up(void **state)
{
	(void)state;
	scratch_store_init_bare(&scratch);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_store_finish(&scratch);
	return 0;
}

static void test_is_loaded_when_it_has_started(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	scratch_store_migrate(&scratch);
	struct store *store = open_store();
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	assert_int_equal(start(&listener, NEVER_MS, &err), 0);
	assert_true(galleries_are_loaded(listener.galleries));
	assert_int_equal(galleries_size(listener.galleries).users, 1);
	end(&listener);
	store_close(store);
}

static void test_what_it_hears_of_is_there(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	scratch_store_migrate(&scratch);
	struct store *store = open_store();
	assert_int_equal(start(&listener, NEVER_MS, &err), 0);
	for (unsigned i = 1; i <= 20; i++) {
		scratch_store_enroll(store, "staff", "ada", i, MODEL, DIMENSION);
		follower_hear(listener.follower, i);
		assert_true(reaches(&listener, i));
	}
	end(&listener);
	store_close(store);
}

static void test_what_nobody_tells_is_found_too(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	scratch_store_migrate(&scratch);
	struct store *store = open_store();
	assert_int_equal(start(&listener, 50, &err), 0);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	assert_true(reaches(&listener, 1));
	end(&listener);
	store_close(store);
}

/* Somebody's word of a version that the store does not have leads nowhere, and not into a loop. */
static void test_rumours_are_harmless(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	scratch_store_migrate(&scratch);
	struct store *store = open_store();
	assert_int_equal(start(&listener, NEVER_MS, &err), 0);
	follower_hear(listener.follower, UINT64_MAX);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	follower_hear(listener.follower, 1);
	assert_true(reaches(&listener, 1));
	assert_false(follower_failed(listener.follower, &err));
	end(&listener);
	store_close(store);
}

static void test_a_store_without_schema_is_fatal(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	assert_true(start(&listener, NEVER_MS, &err) < 0);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	assert_non_null(strstr(err.text, "facefleet store migrate"));
	end(&listener);
}

static void test_a_store_that_comes_later_is_found(void **state)
{
	struct listener listener = {0};
	struct error err = {0};

	(void)state;
	/* A folder that is not there cannot be opened; a store that is not reachable is no reason not to start. */
	assert_int_equal(rmdir(scratch.folder), 0);
	assert_int_equal(start(&listener, 20, &err), 0);
	assert_false(galleries_are_loaded(listener.galleries));
	struct scratch_store elsewhere;
	scratch_store_init(&elsewhere);
	const struct store_settings settings = {.url = elsewhere.url, .timeout_ms = 20000};
	struct store *store;
	assert_int_equal(store_open(&store, &settings, &err), 0);
	scratch_store_enroll(store, "staff", "ada", 1, MODEL, DIMENSION);
	store_close(store);
	assert_int_equal(rename(elsewhere.folder, scratch.folder), 0);
	assert_true(reaches(&listener, 1));
	end(&listener);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_is_loaded_when_it_has_started),   CASE(test_what_it_hears_of_is_there),
    CASE(test_what_nobody_tells_is_found_too),  CASE(test_rumours_are_harmless),
    CASE(test_a_store_without_schema_is_fatal), CASE(test_a_store_that_comes_later_is_found),
};

RUN_TESTS(tests)
