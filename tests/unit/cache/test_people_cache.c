#include "run.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cache/people_cache.h"
#include "cache/people_redis.h"
#include "person.h"

/* A store with one version of everybody. */
struct shelf {
	atomic_uint loads;
	atomic_uint version;
	unsigned images;
	enum error_code failure;
	atomic_bool hold; /* let nobody out */
	/* When not NULL, everybody changes while they are looked up, to the next version. */
	struct people_cache *changing;
	bool crowd; /* and so many others with them that nothing that was kept before stays */
};

static void fill(struct people_cache *cache)
{
	char user[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(user, sizeof(user), "crowd-%d", i);
		people_cache_changed(cache, "c", user, 1);
	}
}

static int load(void *arg, const char *collection, const char *user_id, struct people_person *out, struct error *err)
{
	struct shelf *shelf = arg;
	unsigned version = atomic_load(&shelf->version);

	atomic_fetch_add(&shelf->loads, 1);
	if (shelf->failure != ERROR_NONE)
		return error_set(err, shelf->failure, "no luck");
	*out = person_make(version, shelf->images);
	if (shelf->changing)
		people_cache_changed(shelf->changing, collection, user_id, version + 1);
	if (shelf->crowd)
		fill(shelf->changing);
	while (atomic_load(&shelf->hold))
		sched_yield();
	return 0;
}

static struct people_cache *make(struct metrics *metrics, size_t bytes)
{
	struct people_cache *cache = people_cache_new(&(struct people_cache_settings){
	    .max_bytes = bytes, .model_id = "model", .dimension = PERSON_DIMENSION, .metrics = metrics});

	assert_non_null(cache);
	return cache;
}

static void expect(struct people_cache *cache, struct shelf *shelf, const char *user, unsigned version, unsigned loads)
{
	struct people_person person;
	struct error err = {0};

	assert_int_equal(people_cache_find(cache, NULL, "c", user, load, shelf, &person, &err), 0);
	person_expect(&person, version, shelf->images);
	people_finish(&person);
	assert_int_equal(shelf->loads, loads);
}

static void test_the_second_look(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 5, .images = 2};

	(void)state;
	expect(cache, &shelf, "ann", 5, 1);
	expect(cache, &shelf, "ann", 5, 1);
	expect(cache, &shelf, "bob", 5, 2);
	expect(cache, &shelf, "ann", 5, 2);
	people_cache_free(cache);
	people_cache_free(NULL);
	metrics_free(metrics);
}

static void test_nobody_is_not_kept(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 0, .images = 0};

	(void)state;
	expect(cache, &shelf, "ann", 0, 1);
	expect(cache, &shelf, "ann", 0, 2);
	shelf.version = 3;
	shelf.images = 1;
	expect(cache, &shelf, "ann", 3, 3);
	expect(cache, &shelf, "ann", 3, 3);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_errors_are_not_kept(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 1, .images = 1, .failure = ERROR_STORE_UNAVAILABLE};
	struct people_person person;
	struct error err = {0};

	(void)state;
	assert_true(people_cache_find(cache, NULL, "c", "ann", load, &shelf, &person, &err) < 0);
	assert_int_equal(err.code, ERROR_STORE_UNAVAILABLE);
	shelf.failure = ERROR_NONE;
	expect(cache, &shelf, "ann", 1, 2);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_a_change_counts_at_once(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 5, .images = 2};

	(void)state;
	expect(cache, &shelf, "ann", 5, 1);
	people_cache_changed(cache, "other", "ann", 9);
	people_cache_changed(cache, "c", "ann", 4);
	people_cache_changed(cache, "c", "ann", 5);
	expect(cache, &shelf, "ann", 5, 1);
	shelf.version = 6;
	people_cache_changed(cache, "c", "ann", 6);
	expect(cache, &shelf, "ann", 6, 2);
	expect(cache, &shelf, "ann", 6, 2);
	shelf.version = 7;
	shelf.images = 0;
	assert_true(people_cache_tell(cache, NULL, "c", "ann", 7));
	expect(cache, &shelf, "ann", 7, 3);
	assert_int_equal(people_cache_catch_up(cache, NULL), 0);
	people_cache_free(cache);
	metrics_free(metrics);
}

/* A store that is behind what is known: given out, since it is the store, but not kept. */
static void test_what_is_older_than_known_is_not_kept(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 5, .images = 2};

	(void)state;
	people_cache_changed(cache, "c", "ann", 6);
	expect(cache, &shelf, "ann", 5, 1);
	expect(cache, &shelf, "ann", 5, 2);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_what_changes_meanwhile_is_not_kept(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 5, .images = 2, .changing = cache};

	(void)state;
	expect(cache, &shelf, "ann", 5, 1);
	shelf.changing = NULL;
	shelf.version = 6;
	expect(cache, &shelf, "ann", 6, 2);
	expect(cache, &shelf, "ann", 6, 2);
	people_cache_free(cache);
	metrics_free(metrics);
}

/* Not even when there is no room to keep it. */
static void test_what_changes_meanwhile_is_not_forgotten(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 50000);
	struct shelf shelf = {.version = 5, .images = 2, .changing = cache, .crowd = true};

	(void)state;
	expect(cache, &shelf, "ann", 5, 1);
	shelf.changing = NULL;
	shelf.crowd = false;
	shelf.version = 6;
	expect(cache, &shelf, "ann", 6, 2);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_no_room(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 0);
	struct shelf shelf = {.version = 5, .images = 2};

	(void)state;
	expect(cache, &shelf, "ann", 5, 1);
	people_cache_changed(cache, "c", "ann", 6);
	expect(cache, &shelf, "ann", 5, 2);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_many_within_the_bound(void **state)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 50000);
	struct shelf shelf = {.version = 5, .images = 8};
	char user[32];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(user, sizeof(user), "user-%u", i);
		expect(cache, &shelf, user, 5, i + 1);
	}
	expect(cache, &shelf, "user-999", 5, 1000);
	expect(cache, &shelf, "user-0", 5, 1001);
	people_cache_free(cache);
	metrics_free(metrics);
}

/* --- many at once --- */

struct caller {
	struct people_cache *cache;
	struct shelf *shelf;
	int result;
	struct people_person person;
	struct error err;
};

static void *call(void *arg)
{
	struct caller *c = arg;

	c->result = people_cache_find(c->cache, NULL, "c", "ann", load, c->shelf, &c->person, &c->err);
	return NULL;
}

static void start(pthread_t *id, struct caller *c)
{
	assert_int_equal(pthread_create(id, NULL, call, c), 0);
}

static void finish(pthread_t id, struct caller *c, unsigned version)
{
	pthread_join(id, NULL);
	assert_int_equal(c->result, 0);
	person_expect(&c->person, version, 2);
	people_finish(&c->person);
}

static void wait_for_loads(struct shelf *shelf, unsigned loads)
{
	int64_t give_up = clock_monotonic_ms() + 20000;

	while (atomic_load(&shelf->loads) < loads) {
		assert_true(clock_monotonic_ms() < give_up);
		sched_yield();
	}
}

static void test_a_stampede_asks_once(void **state)
{
	enum { CALLERS = 6 };
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, 100000);
	struct shelf shelf = {.version = 5, .images = 2, .hold = true};
	struct caller callers[CALLERS];
	pthread_t ids[CALLERS];

	(void)state;
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.cache = cache, .shelf = &shelf};
		start(&ids[i], &callers[i]);
	}
	/* Those who come after the landing find it in the cache: either way it is one. */
	wait_for_loads(&shelf, 1);
	atomic_store(&shelf.hold, false);
	for (int i = 0; i < CALLERS; i++)
		finish(ids[i], &callers[i], 5);
	assert_int_equal(shelf.loads, 1);
	people_cache_free(cache);
	metrics_free(metrics);
}

/* Who asks after a change gets no share in a look-up from before, whether there is room for the version or not. */
static void a_change_parts(size_t bytes)
{
	struct metrics *metrics = metrics_new();
	struct people_cache *cache = make(metrics, bytes);
	struct shelf shelf = {.version = 5, .images = 2, .hold = true};
	struct caller before = {.cache = cache, .shelf = &shelf};
	struct caller after = before;
	pthread_t ids[2];

	start(&ids[0], &before);
	wait_for_loads(&shelf, 1);
	atomic_store(&shelf.version, 6);
	people_cache_changed(cache, "c", "ann", 6);
	start(&ids[1], &after);
	wait_for_loads(&shelf, 2);
	atomic_store(&shelf.hold, false);
	finish(ids[0], &before, 5);
	finish(ids[1], &after, 6);
	expect(cache, &shelf, "ann", 6, bytes > 0 ? 2 : 3);
	people_cache_free(cache);
	metrics_free(metrics);
}

static void test_a_change_parts_flights(void **state)
{
	(void)state;
	a_change_parts(100000);
	a_change_parts(0);
}

/* --- keys --- */

static void test_keys_and_patterns(void **state)
{
	char key[PEOPLE_REDIS_KEY_SIZE];
	char pattern[PEOPLE_CACHE_PATTERN_SIZE];
	char longest[129];
	char too_long[400];

	(void)state;
	size_t length = people_redis_key("staff", "ann", "abc", key);
	assert_string_equal(key, "face:staff:ann:abc");
	assert_int_equal(length, strlen(key));
	assert_true(people_redis_key("a:b", "*?[x]\\ \xc3\xa9%", "m-._~", key) > 0);
	assert_string_equal(key, "face:a%3Ab:%2A%3F%5Bx%5D%5C%20%C3%A9%25:m-._~");
	assert_int_equal(people_cache_pattern("staff", "a*", pattern), 0);
	assert_string_equal(pattern, "face:staff:a%2A:*");
	assert_int_equal(people_cache_pattern(NULL, "ann", pattern), 0);
	assert_string_equal(pattern, "face:*:ann:*");

	memset(longest, 0xFF, 128);
	longest[128] = '\0';
	assert_int_equal(
	    people_redis_key(longest, longest, "0123456789012345678901234567890123456789012345678901234567890123", key),
	    5 + 384 + 1 + 384 + 1 + 64);
	memset(too_long, 0xFF, 399);
	too_long[399] = '\0';
	assert_int_equal(people_redis_key("c", too_long, "m", key), 0);
	assert_true(people_cache_pattern("c", too_long, pattern) < 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_the_second_look),
    cmocka_unit_test(test_nobody_is_not_kept),
    cmocka_unit_test(test_errors_are_not_kept),
    cmocka_unit_test(test_a_change_counts_at_once),
    cmocka_unit_test(test_what_is_older_than_known_is_not_kept),
    cmocka_unit_test(test_what_changes_meanwhile_is_not_kept),
    cmocka_unit_test(test_what_changes_meanwhile_is_not_forgotten),
    cmocka_unit_test(test_no_room),
    cmocka_unit_test(test_many_within_the_bound),
    cmocka_unit_test(test_a_stampede_asks_once),
    cmocka_unit_test(test_a_change_parts_flights),
    cmocka_unit_test(test_keys_and_patterns),
};
RUN_TESTS(tests)
