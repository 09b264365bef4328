#include "run.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "cache/photo_cache.h"

static struct metrics *metrics;
static struct photo_cache *cache;

static int set_up(void **state)
{
	struct error err = {0};

	(void)state;
	metrics = metrics_new();
	const struct photo_cache_settings settings = {
	    .max_bytes = 1 << 20, .ttl_s = 3600, .secret = "", .identity = "set 1", .metrics = metrics};
	return photo_cache_new(&cache, &settings, &err);
}

static int tear_down(void **state)
{
	(void)state;
	photo_cache_free(cache);
	metrics_free(metrics);
	return 0;
}

/* What a photograph holds, and how often it was looked at. */
struct looking {
	atomic_uint computed;
	const char *value; /* NULL: it cannot be read */
};

static int compute(void *arg, struct buffer *value, struct error *err)
{
	struct looking *looking = arg;

	atomic_fetch_add(&looking->computed, 1);
	if (!looking->value)
		return error_set(err, ERROR_NO_FACE, "no face");
	return buffer_append(value, looking->value, strlen(looking->value));
}

static bool is_valid(void *arg, const struct buffer *value)
{
	(void)arg;
	return value->size > 0;
}

static int find(struct looking *looking, const char *photo, uint8_t variant, struct buffer *out, struct error *err)
{
	const struct photo_cache_request request = {
	    .photo = (const uint8_t *)photo,
	    .size = strlen(photo),
	    .variant = variant,
	    .compute = compute,
	    .is_valid = is_valid,
	    .arg = looking,
	};

	return photo_cache_find(cache, NULL, &request, out, err);
}

static void expect(struct looking *looking, const char *photo, uint8_t variant, const char *value, unsigned computed)
{
	struct buffer out = {0};
	struct error err = {0};

	assert_int_equal(find(looking, photo, variant, &out, &err), 0);
	assert_int_equal(out.size, strlen(value));
	assert_memory_equal(out.data, value, out.size);
	assert_int_equal(atomic_load(&looking->computed), computed);
	buffer_finish(&out);
}

static void test_a_photograph_is_computed_once(void **state)
{
	struct looking looking = {.value = "one"};

	(void)state;
	expect(&looking, "photo", 0, "one", 1);
	looking.value = "two";
	expect(&looking, "photo", 0, "one", 1);
	expect(&looking, "another photo", 0, "two", 2);
}

/* Another policy sees other faces. */
static void test_variants_are_told_apart(void **state)
{
	struct looking looking = {.value = "largest"};

	(void)state;
	expect(&looking, "photo", 0, "largest", 1);
	looking.value = "pair";
	expect(&looking, "photo", 1, "pair", 2);
	expect(&looking, "photo", 0, "largest", 2);
}

static void test_errors_are_not_kept(void **state)
{
	struct looking looking = {0};
	struct buffer out = {0};
	struct error err = {0};

	(void)state;
	assert_true(find(&looking, "photo", 0, &out, &err) < 0);
	assert_int_equal(err.code, ERROR_NO_FACE);
	looking.value = "a face after all";
	expect(&looking, "photo", 0, "a face after all", 2);
	buffer_finish(&out);
}

static void test_what_is_forgotten_is_computed_again(void **state)
{
	struct looking looking = {.value = "one"};

	(void)state;
	expect(&looking, "photo", 0, "one", 1);
	photo_cache_forget(cache);
	looking.value = "two";
	expect(&looking, "photo", 0, "two", 2);
}

static void test_short_secrets_are_refused(void **state)
{
	const struct photo_cache_settings settings = {
	    .max_bytes = 1 << 20, .ttl_s = 1, .secret = "fifteen letters", .identity = "", .metrics = metrics};
	struct photo_cache *none;
	struct error err = {0};

	(void)state;
	assert_true(photo_cache_new(&none, &settings, &err) < 0);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_null(strstr(err.text, "fifteen"));
}

/* --- many at once --- */

#define CALLERS 8

static pthread_barrier_t all_here;
static atomic_uint asked;

/* Computes until everybody has asked, so that they ask while it computes. */
static int compute_slowly(void *arg, struct buffer *value, struct error *err)
{
	struct looking *looking = arg;
	int64_t until = clock_monotonic_ms() + 20000;

	(void)err;
	atomic_fetch_add(&looking->computed, 1);
	while (atomic_load(&asked) < CALLERS && clock_monotonic_ms() < until)
		;
	return buffer_append(value, looking->value, strlen(looking->value));
}

static void *ask(void *arg)
{
	const struct photo_cache_request request = {
	    .photo = (const uint8_t *)"photo",
	    .size = 5,
	    .compute = compute_slowly,
	    .is_valid = is_valid,
	    .arg = arg,
	};
	static char complaint[] = "a wrong answer";
	struct buffer out = {0};
	struct error err = {0};

	pthread_barrier_wait(&all_here);
	atomic_fetch_add(&asked, 1);
	int r = photo_cache_find(cache, NULL, &request, &out, &err);
	bool right = r == 0 && out.size == 3 && memcmp(out.data, "one", 3) == 0;
	buffer_finish(&out);
	return right ? NULL : complaint;
}

static void test_a_stampede_computes_once(void **state)
{
	struct looking looking = {.value = "one"};
	pthread_t threads[CALLERS];
	void *complaint;

	(void)state;
	pthread_barrier_init(&all_here, NULL, CALLERS);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &looking), 0);
	for (int i = 0; i < CALLERS; i++) {
		pthread_join(threads[i], &complaint);
		assert_null(complaint);
	}
	pthread_barrier_destroy(&all_here);
	assert_int_equal(atomic_load(&looking.computed), 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_photograph_is_computed_once), CASE(test_variants_are_told_apart),
    CASE(test_errors_are_not_kept),           CASE(test_what_is_forgotten_is_computed_again),
    CASE(test_short_secrets_are_refused),     CASE(test_a_stampede_computes_once),
};

RUN_TESTS(tests)
