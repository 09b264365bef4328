#include "run.h"

#include "face/normalise.h"

static void test_rgb(void **state)
{
	static const uint8_t rgb[6] = {10, 20, 30, 40, 50, 60};
	struct normalisation norm = {.mean = {10, 20, 30}, .scale = {1, 2, 10}};
	struct placement whole = {.width = 2, .height = 1};
	float planes[6];

	(void)state;
	normalise_frame(&norm, rgb, &whole, planes, 2, 1);
	assert_true(planes[0] == 0 && planes[1] == 30);
	assert_true(planes[2] == 0 && planes[3] == 15);
	assert_true(planes[4] == 0 && planes[5] == 3);
}

/* Mean and scale are in the network's order, so blue first here. */
static void test_bgr_inside_a_black_frame(void **state)
{
	static const uint8_t rgb[3] = {10, 20, 30};
	struct normalisation norm = {.bgr = true, .mean = {1, 2, 4}, .scale = {1, 1, 2}};
	struct placement middle = {.left = 1, .top = 1, .width = 1, .height = 1};
	float planes[3 * 9];

	(void)state;
	normalise_frame(&norm, rgb, &middle, planes, 3, 3);
	for (int i = 0; i < 9; i++) {
		assert_true(planes[i] == (i == 4 ? 29 : -1));
		assert_true(planes[9 + i] == (i == 4 ? 18 : -2));
		assert_true(planes[18 + i] == (i == 4 ? 3 : -2));
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_rgb),
    cmocka_unit_test(test_bgr_inside_a_black_frame),
};
RUN_TESTS(tests)
