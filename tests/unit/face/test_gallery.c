#include "run.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/gallery_inside.h"

#define MAX_DIMENSION 48
#define MAX_ROWS 400
#define QUERIES 5

/* With a copy in 8 bits, however small it is, if the test is given a kernel for it. */
static struct gallery *new_gallery(int dimension, const char *int8)
{
	struct gallery_tuning tuning = gallery_tuning_best();

	if (int8)
		tuning.int8 = gallery_int8_named(int8);
	tuning.int8_from = int8 ? 0 : SIZE_MAX;
	return gallery_new_tuned(dimension, &tuning);
}

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void random_direction(float *out, int dimension)
{
	double square = 0;

	for (int i = 0; i < dimension; i++) {
		out[i] = (float)((int)(next_random() % 2001) - 1000) / 1000;
		square += (double)out[i] * out[i];
	}
	for (int i = 0; i < dimension && square > 0; i++)
		out[i] = (float)(out[i] / sqrt(square));
}

/* The gallery as a list, for comparison. */
struct list {
	int dimension;
	unsigned count;
	unsigned user[MAX_ROWS];
	float rows[MAX_ROWS][MAX_DIMENSION];
};

static void user_name(unsigned user, char out[16])
{
	snprintf(out, 16, "user-%03u", user);
}

static void image_name(unsigned user, unsigned image, char out[UUID_SIZE])
{
	snprintf(out, UUID_SIZE, "%08x-0000-7000-8000-%012x", user, image);
}

static void set_user(struct gallery *gallery, struct list *list, unsigned user, unsigned images)
{
	char ids[4][UUID_SIZE];
	float rows[4 * MAX_DIMENSION];
	char name[16];
	unsigned kept = 0;

	for (unsigned i = 0; i < list->count; i++) {
		if (list->user[i] == user)
			continue;
		list->user[kept] = list->user[i];
		memmove(list->rows[kept++], list->rows[i], sizeof(list->rows[i]));
	}
	list->count = kept;
	for (unsigned i = 0; i < images; i++) {
		image_name(user, i, ids[i]);
		random_direction(rows + i * list->dimension, list->dimension);
		list->user[list->count] = user;
		memcpy(list->rows[list->count++], rows + i * list->dimension, list->dimension * sizeof(float));
	}
	user_name(user, name);
	assert_int_equal(gallery_set_user(gallery, name, images, (const char(*)[UUID_SIZE])ids, rows), 0);
}

static double product(const float *a, const float *b, int dimension)
{
	double sum = 0;

	for (int i = 0; i < dimension; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

/* The best similarity of each user, by the naive loop; -2 for those who are not there. */
static void best_of_users(const struct list *list, const float *query, double best[MAX_ROWS])
{
	for (unsigned i = 0; i < MAX_ROWS; i++)
		best[i] = -2;
	for (unsigned i = 0; i < list->count; i++) {
		double similarity = product(list->rows[i], query, list->dimension);

		if (similarity > best[list->user[i]])
			best[list->user[i]] = similarity;
	}
}

/* Each hit has its user's best similarity; nobody better was left out; both within 1e-6. */
static void check_hits(const struct list *list, const float *query, const struct gallery_hit *hits, unsigned count,
		       unsigned top_k, float threshold)
{
	double best[MAX_ROWS];
	unsigned above = 0;

	best_of_users(list, query, best);
	for (unsigned i = 0; i < count; i++) {
		unsigned user = (unsigned)strtoul(hits[i].user_id + 5, NULL, 10);

		assert_float_equal(hits[i].similarity, best[user], 1e-6);
		assert_true(hits[i].similarity >= threshold);
		assert_true(i == 0 || hits[i].similarity <= hits[i - 1].similarity);
		best[user] = -2; /* each once */
	}
	for (unsigned user = 0; user < MAX_ROWS; user++) {
		above += best[user] >= threshold + 1e-6;
		if (count == top_k)
			assert_true(best[user] <= hits[count - 1].similarity + 1e-6);
	}
	assert_true(count == top_k || above == 0);
}

static void check_search(struct gallery *gallery, struct gallery_search *search, const struct list *list)
{
	float queries[QUERIES * MAX_DIMENSION];
	float thresholds[QUERIES];
	unsigned queries_count = 1 + next_random() % QUERIES;
	unsigned top_k = 1 + next_random() % 20;

	for (unsigned q = 0; q < queries_count; q++) {
		random_direction(queries + q * list->dimension, list->dimension);
		thresholds[q] = (float)((int)(next_random() % 200) - 150) / 100;
	}
	assert_int_equal(gallery_search_run(search, gallery, queries, queries_count, top_k, thresholds), 0);
	for (unsigned q = 0; q < queries_count; q++) {
		unsigned count;
		const struct gallery_hit *hits = gallery_search_hits(search, q, &count);

		check_hits(list, queries + q * list->dimension, hits, count, top_k, thresholds[q]);
	}
}

static void test_like_the_naive_loop(void **state)
{
	struct gallery_search *search = gallery_search_new();
	static struct list list;

	for (unsigned round = 0; round < 20; round++) {
		list.dimension = 1 + (int)(next_random() % MAX_DIMENSION);
		list.count = 0;
		struct gallery *gallery = new_gallery(list.dimension, *state);
		for (unsigned i = 0; i < 50; i++) {
			for (unsigned k = 0; k < 4; k++)
				set_user(gallery, &list, next_random() % 100, next_random() % 4);
			check_search(gallery, search, &list);
		}
		assert_int_equal(gallery_size(gallery).images, list.count);
		gallery_search_free(search);
		search = gallery_search_new();
		gallery_free(gallery);
	}
	gallery_search_free(search);
}

static const float axes[4][2] = {{1, 0}, {0, 1}, {0.6f, 0.8f}, {-1, 0}};
static const char one_id[1][UUID_SIZE] = {"00000000-0000-7000-8000-000000000001"};

static unsigned search_two(struct gallery *gallery, struct gallery_search *search, unsigned top_k, float threshold)
{
	unsigned count;

	assert_int_equal(gallery_search_run(search, gallery, axes[0], 1, top_k, &threshold), 0);
	gallery_search_hits(search, 0, &count);
	return count;
}

static void test_ties_by_user_id(void **state)
{
	struct gallery *gallery = new_gallery(2, *state);
	struct gallery_search *search = gallery_search_new();
	unsigned count;

	for (unsigned i = 0; i < 50; i++) {
		char name[16];

		user_name((i * 17 + 9) % 50, name);
		assert_int_equal(gallery_set_user(gallery, name, 1, one_id, axes[2]), 0);
	}
	assert_int_equal(search_two(gallery, search, 3, -1), 3);
	const struct gallery_hit *hits = gallery_search_hits(search, 0, &count);
	assert_string_equal(hits[0].user_id, "user-000");
	assert_string_equal(hits[1].user_id, "user-001");
	assert_string_equal(hits[2].user_id, "user-002");
	assert_string_equal(hits[2].image_id, one_id[0]);
	gallery_search_free(search);
	gallery_free(gallery);
}

static void test_edges(void **state)
{
	struct gallery *gallery = gallery_new(2);
	struct gallery_search *search = gallery_search_new();
	const float bad[2] = {1, NAN};
	char long_id[GALLERY_MAX_USER_BYTES + 2];

	(void)state;
	assert_int_equal(search_two(gallery, search, 10, -1), 0);
	assert_int_equal(gallery_set_user(gallery, "nobody", 0, NULL, NULL), 0);
	assert_int_equal(gallery_set_user(gallery, "x", 1, one_id, bad), -EINVAL);
	memset(long_id, 'u', sizeof(long_id));
	long_id[sizeof(long_id) - 1] = '\0';
	assert_int_equal(gallery_set_user(gallery, long_id, 1, one_id, axes[0]), -EINVAL);
	assert_int_equal(gallery_set_user(gallery, long_id + 1, 1, one_id, axes[0]), 0);
	assert_int_equal(gallery_set_user(gallery, "minus", 1, one_id, axes[3]), 0);
	assert_int_equal(gallery_size(gallery).users, 2);
	assert_int_equal(search_two(gallery, search, 1000, -1), 2);
	assert_int_equal(search_two(gallery, search, 1000, 0), 1);
	assert_int_equal(search_two(gallery, search, 1000, 1), 1);
	gallery_search_free(search);
	gallery_free(gallery);
}

/* Hits outlive the user they name. */
static void test_hits_stay(void **state)
{
	struct gallery *gallery = new_gallery(2, *state);
	struct gallery_search *search = gallery_search_new();
	unsigned count;

	assert_int_equal(gallery_set_user(gallery, "gone", 1, one_id, axes[0]), 0);
	assert_int_equal(search_two(gallery, search, 1, 0), 1);
	assert_int_equal(gallery_set_user(gallery, "gone", 0, NULL, NULL), 0);
	for (unsigned i = 0; i < 500; i++) {
		char name[16];

		user_name(i, name);
		assert_int_equal(gallery_set_user(gallery, name, 1, one_id, axes[1]), 0);
	}
	assert_string_equal(gallery_search_hits(search, 0, &count)[0].user_id, "gone");
	assert_int_equal(search_two(gallery, search, 1, 0.5f), 0);
	gallery_search_free(search);
	gallery_free(gallery);
}

/* Replaced again and again, a gallery does not grow. */
static void test_removed_rows_are_reused(void **state)
{
	struct gallery *gallery = new_gallery(2, *state);

	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(gallery_set_user(gallery, "one", 1, one_id, axes[i % 4]), 0);
	assert_int_equal(gallery_size(gallery).images, 1);
	assert_true(gallery_size(gallery).bytes < 1 << 20);
	gallery_free(gallery);
}

struct race {
	struct gallery *gallery;
	atomic_bool done;
};

/* "fixed" is always there, with the best similarity; the others come and go. */
static void *search_all_the_time(void *arg)
{
	struct race *race = arg;
	struct gallery_search *search = gallery_search_new();
	uintptr_t bad = 0;

	while (!atomic_load(&race->done)) {
		const float threshold = 0.99f;
		unsigned count;

		if (gallery_search_run(search, race->gallery, axes[0], 1, 5, &threshold) < 0)
			bad++;
		const struct gallery_hit *hits = gallery_search_hits(search, 0, &count);
		bad += count != 1 || strcmp(hits[0].user_id, "fixed") != 0;
	}
	gallery_search_free(search);
	return (void *)bad;
}

static void test_searches_while_it_changes(void **state)
{
	struct race race = {.gallery = new_gallery(2, *state)};
	pthread_t threads[4];

	assert_int_equal(gallery_set_user(race.gallery, "fixed", 1, one_id, axes[0]), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, search_all_the_time, &race), 0);
	for (unsigned i = 0; i < 20000; i++) {
		char name[16];

		user_name(i % 700, name);
		assert_int_equal(gallery_set_user(race.gallery, name, i / 700 % 3 > 0, one_id, axes[1]), 0);
	}
	atomic_store(&race.done, true);
	for (unsigned i = 0; i < 4; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	gallery_free(race.gallery);
}

/* A row's score depends on neither its place nor the other queries: alone it has no tile of rows around it. */
static void test_scores(void **state)
{
	enum { ROWS = 37, MANY = 6 };
	gallery_scores_function *score = gallery_scores_named(*state);
	static float rows[ROWS][MAX_DIMENSION];
	static float queries[MANY][MAX_DIMENSION];
	float together[MANY * ROWS];
	float alone;

	for (unsigned i = 0; i < ROWS; i++)
		random_direction(rows[i], MAX_DIMENSION);
	for (unsigned i = 0; i < MANY; i++)
		random_direction(queries[i], MAX_DIMENSION);
	score(rows[0], MAX_DIMENSION, ROWS, queries[0], MANY, together);
	for (unsigned q = 0; q < MANY; q++) {
		for (unsigned r = 0; r < ROWS; r++) {
			score(rows[r], MAX_DIMENSION, 1, queries[q], 1, &alone);
			assert_memory_equal(&alone, &together[q * ROWS + r], sizeof(alone));
			assert_float_equal(alone, product(rows[r], queries[q], MAX_DIMENSION), 1e-6);
		}
	}
}

static char portable[] = "portable";
static char sse2[] = "sse2";
static char avx2[] = "avx2";
static char avx512[] = "avx512";
static char vnni[] = "vnni";

#define WITH_ALL(test)                                                                                                 \
	cmocka_unit_test(test), cmocka_unit_test_prestate(test, sse2), cmocka_unit_test_prestate(test, avx2),          \
	    cmocka_unit_test_prestate(test, vnni)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_edges),
    cmocka_unit_test_prestate(test_scores, portable),
    cmocka_unit_test_prestate(test_scores, avx2),
    cmocka_unit_test_prestate(test_scores, avx512),
    WITH_ALL(test_like_the_naive_loop),
    WITH_ALL(test_ties_by_user_id),
    WITH_ALL(test_hits_stay),
    WITH_ALL(test_removed_rows_are_reused),
    WITH_ALL(test_searches_while_it_changes),
};

/* A processor without the instructions has fewer tests. */
static bool can_run(const struct CMUnitTest *test)
{
	const char *kernel = test->initial_state;

	if (test->test_func == test_scores)
		return gallery_scores_named(kernel);
	return !kernel || gallery_int8_named(kernel);
}

int main(void)
{
	struct CMUnitTest chosen[sizeof(tests) / sizeof(*tests)];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		if (can_run(&tests[i]))
			chosen[count++] = tests[i];
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("tests", chosen, count, NULL, NULL);
}
