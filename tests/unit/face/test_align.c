#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "face/align.h"
#include "picture.h"

static const float template_points[FACE_LANDMARKS][2] = {
    {38.2946f, 51.6963f}, {73.5318f, 51.5014f}, {56.0252f, 71.7366f}, {41.5493f, 92.3655f}, {70.7299f, 92.2041f},
};

/** Landmarks that `s` maps exactly onto the template. */
static void landmarks_for(const struct similarity *s, float landmarks[FACE_LANDMARKS][2])
{
	double square = s->a * s->a + s->b * s->b;

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		double u = template_points[i][0] - s->tx;
		double v = template_points[i][1] - s->ty;

		landmarks[i][0] = (float)((s->a * u + s->b * v) / square);
		landmarks[i][1] = (float)((-s->b * u + s->a * v) / square);
	}
}

static void test_finds_an_exact_similarity(void **state)
{
	static const struct similarity wanted[] = {
	    {1, 0, 0, 0}, {0.5, 0, 10, -20}, {0, 2, -30, 5}, {-0.3, 0.4, 100, 200}, {0.01, -0.02, 3, 4}};

	(void)state;
	for (size_t i = 0; i < array_size(wanted); i++) {
		float landmarks[FACE_LANDMARKS][2];
		struct similarity found;

		landmarks_for(&wanted[i], landmarks);
		assert_int_equal(align_estimate(landmarks, &found), 0);
		assert_true(fabs(found.a - wanted[i].a) < 1e-4);
		assert_true(fabs(found.b - wanted[i].b) < 1e-4);
		assert_true(fabs(found.tx - wanted[i].tx) < 1e-2);
		assert_true(fabs(found.ty - wanted[i].ty) < 1e-2);
	}
}

static double residual(const struct similarity *s, const float landmarks[FACE_LANDMARKS][2])
{
	double sum = 0;

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		double u = s->a * landmarks[i][0] - s->b * landmarks[i][1] + s->tx - template_points[i][0];
		double v = s->b * landmarks[i][0] + s->a * landmarks[i][1] + s->ty - template_points[i][1];

		sum += u * u + v * v;
	}
	return sum;
}

static void test_is_the_least_squares_one(void **state)
{
	static const float landmarks[FACE_LANDMARKS][2] = {{100, 120}, {170, 131}, {141, 160}, {99, 205}, {160, 212}};
	struct similarity best;

	(void)state;
	assert_int_equal(align_estimate(landmarks, &best), 0);
	for (int i = 0; i < 8; i++) {
		struct similarity other = best;
		double step = i % 2 ? 1e-3 : -1e-3;

		other.a += i / 2 == 0 ? step : 0;
		other.b += i / 2 == 1 ? step : 0;
		other.tx += i / 2 == 2 ? step : 0;
		other.ty += i / 2 == 3 ? step : 0;
		assert_true(residual(&other, landmarks) > residual(&best, landmarks));
	}
}

static void test_points_that_coincide(void **state)
{
	static const float landmarks[FACE_LANDMARKS][2] = {{5, 5}, {5, 5}, {5, 5}, {5, 5}, {5, 5}};
	struct similarity s;

	(void)state;
	assert_true(align_estimate(landmarks, &s) < 0);
}

static const uint8_t *crop_pixel(const uint8_t *crop, int x, int y)
{
	return crop + (y * ALIGN_SIDE + x) * 3;
}

/* The identity copies pixels: centres are at integers. Outside is black. */
static void test_identity_and_outside(void **state)
{
	struct image image = picture_gradient(100, 90);
	struct similarity identity = {1, 0, 0, 0};
	struct aligner aligner = {0};
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];

	(void)state;
	assert_int_equal(align_warp(&aligner, &image, &identity, ALIGN_SIDE, ALIGN_SIDE, crop), 0);
	for (int y = 0; y < 90; y++)
		assert_memory_equal(crop_pixel(crop, 0, y), image.pixels + (size_t)y * 300, 300);
	assert_int_equal(crop_pixel(crop, 100, 5)[0], 0);
	assert_int_equal(crop_pixel(crop, 5, 90)[2], 0);
	image_finish(&image);
	aligner_finish(&aligner);
}

static void test_bilinear(void **state)
{
	struct image image = picture_new(120, 120);
	struct similarity shift = {1, 0, -10.25, -20.5};
	struct aligner aligner = {0};
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];

	(void)state;
	/* One white pixel at (30, 40) is seen by the four template pixels around (19.75, 19.5). */
	memset(image.pixels + (40 * 120 + 30) * 3, 200, 3);
	assert_int_equal(align_warp(&aligner, &image, &shift, ALIGN_SIDE, ALIGN_SIDE, crop), 0);
	assert_int_equal(crop_pixel(crop, 19, 19)[0], 25);
	assert_int_equal(crop_pixel(crop, 20, 19)[0], 75);
	assert_int_equal(crop_pixel(crop, 19, 20)[1], 25);
	assert_int_equal(crop_pixel(crop, 20, 20)[2], 75);
	assert_int_equal(crop_pixel(crop, 21, 20)[0], 0);
	image_finish(&image);
	aligner_finish(&aligner);
}

/* A checkerboard that shrinks 8.3 times becomes even grey only if every pixel counts. */
static void test_shrinking_is_filtered(void **state)
{
	struct image image = picture_new(1000, 1000);
	struct similarity shrink = {0.12, 0.02, 0, 0};
	struct aligner aligner = {0};
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];

	(void)state;
	for (int y = 0; y < 1000; y++) {
		for (int x = 0; x < 1000; x++)
			memset(image.pixels + ((size_t)y * 1000 + x) * 3, (x + y) % 2 ? 200 : 0, 3);
	}
	assert_int_equal(align_warp(&aligner, &image, &shrink, ALIGN_SIDE, ALIGN_SIDE, crop), 0);
	for (int y = 30; y < 80; y++) {
		for (int x = 30; x < 80; x++)
			assert_in_range(crop_pixel(crop, x, y)[0], 98, 102);
	}
	image_finish(&image);
	aligner_finish(&aligner);
}

/* The same face, from the full picture and from one decoded smaller, lies in the same place. */
static void test_decoded_smaller(void **state)
{
	struct image full = picture_gradient(800, 600);
	struct image half = picture_scaled(&full, 400, 300);
	struct similarity s = {0.2, 0.05, -10, -30};
	struct aligner aligner = {0};
	uint8_t from_full[ALIGN_SIDE * ALIGN_SIDE * 3];
	uint8_t from_half[ALIGN_SIDE * ALIGN_SIDE * 3];

	(void)state;
	half.full_width = 800;
	half.full_height = 600;
	assert_int_equal(align_warp(&aligner, &full, &s, ALIGN_SIDE, ALIGN_SIDE, from_full), 0);
	assert_int_equal(align_warp(&aligner, &half, &s, ALIGN_SIDE, ALIGN_SIDE, from_half), 0);
	for (int y = 10; y < 100; y++) {
		for (int x = 10; x < 100; x++)
			assert_true(abs(crop_pixel(from_full, x, y)[0] - crop_pixel(from_half, x, y)[0]) <= 2);
	}
	image_finish(&full);
	image_finish(&half);
	aligner_finish(&aligner);
}

/* Far away and far too small or large: black or one colour, and no byte outside the picture is read. */
static void test_extremes(void **state)
{
	static const struct similarity extremes[] = {
	    {1, 0, 1e9, 1e9}, {1e-6, 0, 0, 0}, {1e6, 0, -1e8, -1e8}, {0.01, 0, 200, 50}, {0.2, 0, -1e6, 30}};
	struct image image = picture_gradient(300, 200);
	struct aligner aligner = {0};
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];

	(void)state;
	for (size_t i = 0; i < array_size(extremes); i++)
		assert_int_equal(align_warp(&aligner, &image, &extremes[i], ALIGN_SIDE, ALIGN_SIDE, crop), 0);
	image_finish(&image);
	aligner_finish(&aligner);
}

/* Without 8 columns on either side, and with each pixel of the template over 2 × 2 of the crop. */
static void test_other_sizes(void **state)
{
	struct image image = picture_gradient(140, 150);
	struct similarity s = {0.9, 0.1, 3, -7};
	struct similarity narrow = s;
	struct similarity large = s;
	struct aligner aligner = {0};
	uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];
	uint8_t middle[96 * ALIGN_SIDE * 3];

	(void)state;
	align_fit(&narrow, 96, ALIGN_SIDE);
	assert_int_equal(align_warp(&aligner, &image, &s, ALIGN_SIDE, ALIGN_SIDE, crop), 0);
	assert_int_equal(align_warp(&aligner, &image, &narrow, 96, ALIGN_SIDE, middle), 0);
	for (int y = 0; y < ALIGN_SIDE; y++)
		assert_memory_equal(middle + y * 96 * 3, crop_pixel(crop, 8, y), 96 * 3);

	align_fit(&large, 2 * ALIGN_SIDE, 2 * ALIGN_SIDE);
	assert_float_equal(similarity_scale(&large), 2 * similarity_scale(&s), 1e-12);
	assert_float_equal(large.tx, 6, 1e-12);
	assert_float_equal(large.ty, -14, 1e-12);
	image_finish(&image);
	aligner_finish(&aligner);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_finds_an_exact_similarity),
    cmocka_unit_test(test_is_the_least_squares_one),
    cmocka_unit_test(test_points_that_coincide),
    cmocka_unit_test(test_identity_and_outside),
    cmocka_unit_test(test_bilinear),
    cmocka_unit_test(test_shrinking_is_filtered),
    cmocka_unit_test(test_decoded_smaller),
    cmocka_unit_test(test_other_sizes),
    cmocka_unit_test(test_extremes),
};
RUN_TESTS(tests)
