#include "run.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "face/gallery_inside.h"

#define MAX_STRIDE 528
#define BLOCKS 3
#define ROWS (BLOCKS * GALLERY_BLOCK)
#define QUERIES 11 /* eight, two and one at once, and so on */

static const char *const kernels[] = {"sse2", "avx2", "vnni"};
static const char *const score_kernels[] = {"portable", "avx2", "avx512"};

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static float between(float low, float high)
{
	return low + (high - low) * (float)next_random() / (float)(1 << 24);
}

/* Everything a vector can be. Only the first two are what a gallery is for. */
enum kind { UNIT, SPIKY, ZERO, TINY, DENORMAL, HUGE_ONE, LONG, AXIS, ON_THE_GRID, OFF_THE_GRID, SHORT, KINDS };

static void fill(float *v, size_t stride, enum kind kind)
{
	static const float sizes[KINDS] = {
	    [UNIT] = 1,    [SPIKY] = 1,     [TINY] = 1e-20f, [DENORMAL] = 1e-42f, [HUGE_ONE] = 3e38f,
	    [LONG] = 1e9f, [AXIS] = 0.001f, [SHORT] = 0.1f,  [ON_THE_GRID] = 1,   [OFF_THE_GRID] = 1,
	};
	double square = 0;

	for (size_t i = 0; i < stride; i++) {
		v[i] = between(-1, 1) * sizes[kind];
		if (kind == ON_THE_GRID || kind == OFF_THE_GRID)
			v[i] = ((float)(int)(next_random() % 255) - 127 + (kind == OFF_THE_GRID) * 0.499f) / 128;
		square += (double)v[i] * v[i];
	}
	if (kind == SPIKY || kind == AXIS)
		v[next_random() % stride] = 1;
	for (size_t i = 0; kind == UNIT && i < stride; i++)
		v[i] = (float)(v[i] / sqrt(square));
}

struct coded {
	struct gallery_int8_query query[QUERIES];
	int16_t wide[QUERIES][MAX_STRIDE];
	int8_t codes[QUERIES][MAX_STRIDE];
	bool known[QUERIES];
	struct gallery_block blocks[BLOCKS];
	uint8_t rows[ROWS * MAX_STRIDE] __attribute__((aligned(64)));
};

static void encode(struct coded *coded, const float *rows, const float *queries, size_t stride)
{
	for (size_t b = 0; b < BLOCKS; b++)
		gallery_int8_pack(rows + b * GALLERY_BLOCK * stride, stride, coded->rows + b * GALLERY_BLOCK * stride,
				  &coded->blocks[b]);
	for (unsigned q = 0; q < QUERIES; q++) {
		coded->query[q].wide = coded->wide[q];
		coded->query[q].codes = coded->codes[q];
		coded->known[q] = gallery_int8_query(&coded->query[q], queries + q * stride, stride) == 0;
		if (!coded->known[q]) /* something else in its place */
			assert_int_equal(gallery_int8_query(&coded->query[q], rows, 0), 0);
	}
}

/* Asks of each row whether it may reach its own score: the answer must be yes, by whatever kernel that was found. */
static void check_bounds(struct coded *coded, const float *scores, gallery_int8_function *kernel, size_t stride)
{
	for (size_t row = 0; row < ROWS; row++) {
		float bounds[QUERIES];
		uint16_t masks[QUERIES * BLOCKS];

		for (unsigned q = 0; q < QUERIES; q++)
			bounds[q] = scores[q * ROWS + row];
		kernel(coded->rows, coded->blocks, BLOCKS, stride, coded->query, QUERIES, bounds, masks);
		for (unsigned q = 0; q < QUERIES; q++) {
			unsigned mask = masks[q * BLOCKS + row / GALLERY_BLOCK];

			assert_true(!coded->known[q] || (mask >> (row % GALLERY_BLOCK) & 1) != 0);
		}
	}
}

static void check_all_kernels(struct coded *coded, const float *rows, const float *queries, size_t stride)
{
	float scores[QUERIES * ROWS];

	encode(coded, rows, queries, stride);
	for (size_t s = 0; s < array_size(score_kernels); s++) {
		gallery_scores_function *score = gallery_scores_named(score_kernels[s]);

		if (!score)
			continue;
		score(rows, stride, ROWS, queries, QUERIES, scores);
		for (size_t k = 0; k < array_size(kernels); k++) {
			if (gallery_int8_named(kernels[k]))
				check_bounds(coded, scores, gallery_int8_named(kernels[k]), stride);
		}
	}
}

/* A row's estimate is never below its score in float32. */
static void test_never_below(void **state)
{
	static struct coded coded;
	static float rows[ROWS * MAX_STRIDE];
	static float queries[QUERIES * MAX_STRIDE];

	(void)state;
	for (unsigned round = 0; round < 150; round++) {
		size_t stride = GALLERY_LANES * (1 + next_random() % (MAX_STRIDE / GALLERY_LANES));
		bool mixed = round % 2 == 0;

		if (round % 4 > 0)
			stride = GALLERY_LANES * (1 + next_random() % 4);
		for (size_t r = 0; r < ROWS; r++)
			fill(rows + r * stride, stride, (mixed ? next_random() : round / 2) % KINDS);
		for (unsigned q = 0; q < QUERIES; q++)
			fill(queries + q * stride, stride, next_random() % KINDS);
		memcpy(queries, rows + 5 * stride, stride * sizeof(float));
		check_all_kernels(&coded, rows, queries, stride);
	}
}

/* What float32 rounds up stays within the estimate, even where the codes are exact: many equal numbers. */
static void test_never_below_where_exact(void **state)
{
	static struct coded coded;
	static float rows[ROWS * MAX_STRIDE];
	static float queries[QUERIES * MAX_STRIDE];

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		float a = between(0.01f, 1);
		float b = between(0.01f, 1);

		for (size_t i = 0; i < ROWS * MAX_STRIDE; i++)
			rows[i] = a;
		for (size_t i = 0; i < QUERIES * MAX_STRIDE; i++)
			queries[i] = b;
		check_all_kernels(&coded, rows, queries, MAX_STRIDE);
	}
}

/* And it is close: what is clearly below is ruled out, or the copy would be good for nothing. All kernels agree. */
static void test_close(void **state)
{
	enum { STRIDE = 128 };
	static struct coded coded;
	static float rows[ROWS * STRIDE];
	static float queries[QUERIES * STRIDE];
	float scores[QUERIES * ROWS];

	(void)state;
	for (size_t r = 0; r < ROWS; r++)
		fill(rows + r * STRIDE, STRIDE, UNIT);
	for (unsigned q = 0; q < QUERIES; q++)
		fill(queries + (size_t)q * STRIDE, STRIDE, UNIT);
	encode(&coded, rows, queries, STRIDE);
	gallery_scores_best()(rows, STRIDE, ROWS, queries, QUERIES, scores);
	for (size_t k = 0; k < array_size(kernels); k++) {
		gallery_int8_function *kernel = gallery_int8_named(kernels[k]);

		for (size_t row = 0; kernel && row < ROWS; row++) {
			float bounds[QUERIES];
			uint16_t masks[QUERIES * BLOCKS];

			for (unsigned q = 0; q < QUERIES; q++)
				bounds[q] = scores[q * ROWS + row] + 0.02f;
			kernel(coded.rows, coded.blocks, BLOCKS, STRIDE, coded.query, QUERIES, bounds, masks);
			for (unsigned q = 0; q < QUERIES; q++)
				assert_int_equal(masks[q * BLOCKS + row / GALLERY_BLOCK] >> (row % GALLERY_BLOCK) & 1,
						 0);
		}
	}
}

static void test_query_of_which_nothing_can_be_said(void **state)
{
	int16_t wide[GALLERY_LANES];
	int8_t codes[GALLERY_LANES];
	struct gallery_int8_query query = {.wide = wide, .codes = codes};
	float v[GALLERY_LANES] = {1};

	(void)state;
	assert_int_equal(gallery_int8_query(&query, v, GALLERY_LANES), 0);
	v[3] = NAN;
	assert_int_equal(gallery_int8_query(&query, v, GALLERY_LANES), -ERANGE);
	v[3] = -INFINITY;
	assert_int_equal(gallery_int8_query(&query, v, GALLERY_LANES), -ERANGE);
	v[3] = 1e30f;
	assert_int_equal(gallery_int8_query(&query, v, GALLERY_LANES), -ERANGE);
}

/* --- two galleries, one of them without codes, find the same --- */

#define DIMENSION 24
#define USERS 4000

struct twins {
	struct gallery *plain;
	struct gallery *coded;
	struct gallery_search *plain_search;
	struct gallery_search *coded_search;
};

static void twins_init(struct twins *t, const char *int8)
{
	struct gallery_tuning tuning = gallery_tuning_best();

	tuning.int8 = NULL;
	t->plain = gallery_new_tuned(DIMENSION, &tuning);
	tuning.int8 = gallery_int8_named(int8);
	tuning.int8_from = 0;
	t->coded = gallery_new_tuned(DIMENSION, &tuning);
	t->plain_search = gallery_search_new();
	t->coded_search = gallery_search_new();
}

static void twins_finish(struct twins *t)
{
	gallery_search_free(t->plain_search);
	gallery_search_free(t->coded_search);
	gallery_free(t->plain);
	gallery_free(t->coded);
}

static void set_user(struct twins *t, unsigned user, unsigned count, const float *embeddings)
{
	static const char ids[2][UUID_SIZE] = {"00000000-0000-7000-8000-000000000002",
					       "00000000-0000-7000-8000-000000000001"};
	char name[16];

	snprintf(name, sizeof(name), "%u", user);
	assert_int_equal(gallery_set_user(t->plain, name, count, ids, embeddings), 0);
	assert_int_equal(gallery_set_user(t->coded, name, count, ids, embeddings), 0);
}

static void check_same(struct twins *t, const float *queries, unsigned count, unsigned top_k, const float *thresholds)
{
	assert_int_equal(gallery_search_run(t->plain_search, t->plain, queries, count, top_k, thresholds), 0);
	assert_int_equal(gallery_search_run(t->coded_search, t->coded, queries, count, top_k, thresholds), 0);
	for (unsigned q = 0; q < count; q++) {
		unsigned many[2];
		const struct gallery_hit *a = gallery_search_hits(t->plain_search, q, &many[0]);
		const struct gallery_hit *b = gallery_search_hits(t->coded_search, q, &many[1]);

		assert_int_equal(many[0], many[1]);
		for (unsigned i = 0; i < many[0]; i++) {
			assert_memory_equal(&a[i].similarity, &b[i].similarity, sizeof(float));
			assert_string_equal(a[i].user_id, b[i].user_id);
			assert_string_equal(a[i].image_id, b[i].image_id);
		}
	}
}

static void check_searches(struct twins *t, enum kind kind)
{
	static const unsigned top_ks[] = {1, 10, 1000};
	float queries[QUERIES * DIMENSION];
	float thresholds[QUERIES];

	for (size_t i = 0; i < array_size(top_ks); i++) {
		for (unsigned q = 0; q < QUERIES; q++) {
			fill(queries + (size_t)q * DIMENSION, DIMENSION, q % 2 ? UNIT : kind);
			thresholds[q] = q == 2 ? INFINITY : q == 3 ? NAN : q == 4 ? -INFINITY : between(-1, 1);
		}
		check_same(t, queries, 1 + next_random() % QUERIES, top_ks[i], thresholds);
	}
	queries[0] = NAN;
	check_same(t, queries, 2, 10, thresholds);
}

/* Any vectors, equal ones, and people who come and go until the galleries are compacted. */
static void test_same_as_float32(void **state)
{
	static float rows[USERS][2 * DIMENSION];

	for (unsigned kind = 0; kind <= KINDS; kind++) {
		struct twins t;

		twins_init(&t, *state);
		for (unsigned i = 0; i < USERS; i++) {
			fill(rows[i], DIMENSION, kind < KINDS ? kind : next_random() % KINDS);
			fill(rows[i] + DIMENSION, DIMENSION, kind < KINDS ? kind : next_random() % KINDS);
			if (i % 3 == 2)
				memcpy(rows[i], rows[next_random() % i], sizeof(rows[i]));
			set_user(&t, i, 1 + i % 2, rows[i]);
		}
		check_searches(&t, kind < KINDS ? kind : LONG);
		for (unsigned i = 0; i < USERS; i++) {
			if (i % 4 > 0)
				set_user(&t, i, 0, NULL);
			else if (i % 8 == 0)
				set_user(&t, i, 1, rows[i / 2]);
		}
		check_searches(&t, kind < KINDS ? kind : ZERO);
		twins_finish(&t);
	}
}

/* The codes do spare the products in float32. */
static void test_few_products(void **state)
{
	static const float threshold = -1;
	struct twins t;
	float row[DIMENSION];

	twins_init(&t, *state);
	for (unsigned i = 0; i < USERS; i++) {
		fill(row, DIMENSION, UNIT);
		set_user(&t, i, 1, row);
	}
	check_same(&t, row, 1, 1, &threshold);
	assert_true(gallery_search_products(t.plain_search) == USERS);
	assert_true(gallery_search_products(t.coded_search) < USERS / 4);
	twins_finish(&t);
}

static char sse2[] = "sse2";
static char avx2[] = "avx2";
static char vnni[] = "vnni";

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_never_below),
    cmocka_unit_test(test_never_below_where_exact),
    cmocka_unit_test(test_close),
    cmocka_unit_test(test_query_of_which_nothing_can_be_said),
    cmocka_unit_test_prestate(test_same_as_float32, sse2),
    cmocka_unit_test_prestate(test_same_as_float32, avx2),
    cmocka_unit_test_prestate(test_same_as_float32, vnni),
    cmocka_unit_test_prestate(test_few_products, sse2),
    cmocka_unit_test_prestate(test_few_products, avx2),
    cmocka_unit_test_prestate(test_few_products, vnni),
};

int main(void)
{
	struct CMUnitTest chosen[sizeof(tests) / sizeof(*tests)];
	size_t count = 0;

	/* A processor without the instructions has fewer tests. */
	for (size_t i = 0; i < array_size(tests); i++) {
		if (!tests[i].initial_state || gallery_int8_named(tests[i].initial_state))
			chosen[count++] = tests[i];
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("tests", chosen, count, NULL, NULL);
}
