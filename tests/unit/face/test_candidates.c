#include "run.h"

#include "face/candidates.h"

static struct face face_at(float x, float y, float width, float height, float score)
{
	return (struct face){.box = {x, y, width, height}, .score = score};
}

static void test_overlapping_ones_go(void **state)
{
	/* 0 and 1 overlap by 80/120, 0 and 2 by 50/150, 3 stands alone. */
	struct face faces[4] = {face_at(0, 0, 10, 10, 0.8f), face_at(2, 0, 10, 10, 0.9f), face_at(0, 5, 10, 10, 0.7f),
				face_at(100, 100, 10, 10, 0.6f)};
	struct candidates c = {.items = faces, .count = 4, .capacity = 4};

	(void)state;
	candidates_suppress(&c, 0.35f);
	assert_int_equal(c.count, 3);
	assert_true(faces[0].score == 0.9f);
	assert_true(faces[1].score == 0.7f);
	assert_true(faces[2].score == 0.6f);
	candidates_suppress(&c, 0.2f);
	assert_int_equal(c.count, 2);
	assert_true(faces[1].score == 0.6f);
}

static void test_a_suppressed_one_suppresses_nothing(void **state)
{
	/* A chain: 0–1 and 1–2 overlap, 0–2 do not. */
	struct face faces[3] = {face_at(0, 0, 10, 10, 0.9f), face_at(4, 0, 10, 10, 0.8f), face_at(8, 0, 10, 10, 0.7f)};
	struct candidates c = {.items = faces, .count = 3, .capacity = 3};

	(void)state;
	candidates_suppress(&c, 0.35f);
	assert_int_equal(c.count, 2);
	assert_true(faces[1].score == 0.7f);
}

static void test_no_more_than_the_maximum(void **state)
{
	struct face faces[200];
	struct candidates c = {.items = faces, .count = 200, .capacity = 200};

	(void)state;
	for (int i = 0; i < 200; i++)
		faces[i] = face_at((float)(20 * i), 0, 10, 10, 0.5f + (float)i / 1000);
	candidates_suppress(&c, 0.35f);
	assert_int_equal(c.count, FACE_MAX_FACES);
	assert_true(faces[0].box[0] == 20 * 199);
	assert_true(faces[FACE_MAX_FACES - 1].box[0] == 20 * (200 - FACE_MAX_FACES));
}

/* 1 sees the same face as 0 (80/120 in common) and has a word in the landmarks, 2 (50/150) goes without one. */
static void test_landmarks_are_the_mean_of_those_that_agree(void **state)
{
	struct face faces[4] = {face_at(0, 0, 10, 10, 0.9f), face_at(2, 0, 10, 10, 0.3f), face_at(0, 5, 10, 10, 0.7f),
				face_at(100, 100, 10, 10, 0.6f)};
	struct candidates c = {.items = faces, .count = 4, .capacity = 4};

	(void)state;
	for (int i = 0; i < 4; i++) {
		faces[i].landmarks[0][0] = (float)(4 * i);
		faces[i].landmarks[4][1] = (float)(40 * i);
	}
	candidates_suppress(&c, 0.3f);
	assert_int_equal(c.count, 2);
	assert_float_equal(faces[0].landmarks[0][0], 1, 1e-6);
	assert_float_equal(faces[0].landmarks[4][1], 10, 1e-5);
	assert_true(faces[0].box[0] == 0);
	assert_true(faces[1].landmarks[0][0] == 12);
}

/* A box around another, or inside it, is the same face however small their common share. */
static void test_nested_ones_go(void **state)
{
	struct face faces[4] = {face_at(0, 0, 100, 100, 0.5f), face_at(40, 40, 20, 20, 0.9f),
				face_at(200, 0, 50, 50, 0.9f), face_at(215, 20, 20, 20, 0.5f)};
	struct candidates c = {.items = faces, .count = 4, .capacity = 4};

	(void)state;
	candidates_suppress(&c, 0.35f);
	assert_int_equal(c.count, 2);
	assert_true(faces[0].score == 0.9f && faces[1].score == 0.9f);
}

static void test_superseded_ones_go(void **state)
{
	/* Found at first: a small face, one of the same size elsewhere, a large one. Found later: 3 on 0, 4 on 2. */
	struct face faces[5] = {face_at(0, 0, 10, 10, 0.9f), face_at(50, 0, 10, 10, 0.8f),
				face_at(100, 0, 30, 30, 0.9f), face_at(1, 1, 10, 10, 0.6f),
				face_at(101, 1, 30, 30, 0.6f)};
	struct candidates c = {.items = faces, .count = 5, .capacity = 5};

	(void)state;
	candidates_supersede(&c, 3, 20, 0.35f);
	assert_int_equal(c.count, 4);
	assert_true(faces[0].box[0] == 50);
	assert_true(faces[1].box[0] == 100);
	assert_true(faces[2].box[0] == 1);
	assert_true(faces[3].box[0] == 101);
}

static void test_order(void **state)
{
	struct face faces[4] = {face_at(0, 0, 10, 10, 0.9f), face_at(0, 50, 20, 20, 0.6f), face_at(50, 0, 20, 20, 0.8f),
				face_at(90, 0, 40, 2, 0.99f)};
	struct candidates c = {.items = faces, .count = 4, .capacity = 4};

	(void)state;
	candidates_sort(&c);
	assert_true(faces[0].score == 0.8f);
	assert_true(faces[1].score == 0.6f);
	assert_true(faces[2].score == 0.9f);
	assert_true(faces[3].score == 0.99f);
}

static void test_none(void **state)
{
	struct candidates c = {0};

	(void)state;
	candidates_suppress(&c, 0.35f);
	candidates_sort(&c);
	assert_int_equal(c.count, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_overlapping_ones_go),
    cmocka_unit_test(test_a_suppressed_one_suppresses_nothing),
    cmocka_unit_test(test_no_more_than_the_maximum),
    cmocka_unit_test(test_landmarks_are_the_mean_of_those_that_agree),
    cmocka_unit_test(test_nested_ones_go),
    cmocka_unit_test(test_superseded_ones_go),
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_none),
};
RUN_TESTS(tests)
