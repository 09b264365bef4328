#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "face/resize.h"
#include "picture.h"

static void test_whole_blocks(void **state)
{
	/* 4×2 grey to 2×1: means of 2×2 blocks, rounded. */
	static const uint8_t grey[8] = {0, 10, 100, 200, 20, 31, 100, 201};
	uint8_t from[24];
	uint8_t to[6];
	struct resizer resizer = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		memset(from + 3 * i, grey[i], 3);
	assert_int_equal(resize_area(&resizer, from, 4, 2, to, 2, 1), 0);
	assert_int_equal(to[0], 15);
	assert_int_equal(to[3], 150);
	assert_int_equal(to[5], 150);
	resizer_finish(&resizer);
}

static void test_partly_covered_pixels(void **state)
{
	/* 3×1 to 2×1: the middle pixel counts half in both. */
	static const uint8_t from[9] = {30, 30, 30, 90, 90, 90, 240, 240, 240};
	uint8_t to[6];
	struct resizer resizer = {0};

	(void)state;
	assert_int_equal(resize_area(&resizer, from, 3, 1, to, 2, 1), 0);
	assert_int_equal(to[0], 50);
	assert_int_equal(to[3], 190);
	resizer_finish(&resizer);
}

/* Straight from the definition, in double, for sizes that divide badly. */
static double mean_of_area(const struct image *image, double x0, double x1, double y0, double y1)
{
	double sum = 0;

	for (int y = (int)y0; y < image->height && y < y1; y++) {
		for (int x = (int)x0; x < image->width && x < x1; x++) {
			double w = (x + 1 < x1 ? x + 1 : x1) - (x > x0 ? x : x0);
			double h = (y + 1 < y1 ? y + 1 : y1) - (y > y0 ? y : y0);

			sum += w * h * image->pixels[((size_t)y * image->width + x) * 3];
		}
	}
	return sum / ((x1 - x0) * (y1 - y0));
}

static void test_against_the_definition(void **state)
{
	static const int sizes[][2] = {{160, 113}, {97, 41}, {1, 1}, {251, 187}, {250, 3}};
	struct image from = picture_gradient(251, 187);
	struct resizer resizer = {0};

	(void)state;
	for (size_t i = 0; i < array_size(sizes); i++) {
		int width = sizes[i][0];
		int height = sizes[i][1];
		struct image to = picture_new(width, height);

		assert_int_equal(resize_area(&resizer, from.pixels, 251, 187, to.pixels, width, height), 0);
		for (int y = 0; y < height; y++) {
			for (int x = 0; x < width; x++) {
				double want = mean_of_area(&from, x * 251.0 / width, (x + 1) * 251.0 / width,
							   y * 187.0 / height, (y + 1) * 187.0 / height);
				assert_true(abs(to.pixels[((size_t)y * width + x) * 3] - (int)(want + 0.5)) <= 1);
			}
		}
		image_finish(&to);
	}
	image_finish(&from);
	resizer_finish(&resizer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_whole_blocks),
    cmocka_unit_test(test_partly_covered_pixels),
    cmocka_unit_test(test_against_the_definition),
};
RUN_TESTS(tests)
