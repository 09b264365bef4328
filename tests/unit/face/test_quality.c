#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "face/align.h"
#include "face/quality.h"

static const float upright[FACE_LANDMARKS][2] = {{100, 100}, {140, 100}, {120, 120}, {105, 140}, {135, 140}};
static uint8_t crop[ALIGN_SIDE * ALIGN_SIDE * 3];

/* Stripes of `width` pixels, black and white. */
static void paint(int width)
{
	for (size_t i = 0; i < sizeof(crop); i++)
		crop[i] = i / 3 % ALIGN_SIDE / (size_t)width % 2 ? 255 : 0;
}

static struct face_quality measure(const float landmarks[FACE_LANDMARKS][2])
{
	struct face_quality quality;

	quality_measure(landmarks, crop, &quality);
	return quality;
}

static void test_face_that_looks_straight(void **state)
{
	(void)state;
	struct face_quality q = measure(upright);
	assert_float_equal(q.eye_distance, 40, 1e-4);
	assert_float_equal(q.yaw, 0, 1e-4);
	assert_float_equal(q.roll, 0, 1e-4);
}

static void test_nose_aside_is_yaw_to_either_side(void **state)
{
	float left[FACE_LANDMARKS][2], right[FACE_LANDMARKS][2];

	(void)state;
	memcpy(left, upright, sizeof(left));
	memcpy(right, upright, sizeof(right));
	left[2][0] -= 0.6f * 40;
	right[2][0] += 0.6f * 40;
	assert_float_equal(measure(left).yaw, 45, 0.01);
	assert_float_equal(measure(right).yaw, 45, 0.01);
}

static void test_tilted_head_is_roll_and_no_yaw(void **state)
{
	/* The upright one, turned by 90 degrees around (120, 100). */
	const float turned[FACE_LANDMARKS][2] = {{120, 80}, {120, 120}, {100, 100}, {80, 85}, {80, 115}};

	(void)state;
	struct face_quality q = measure(turned);
	assert_float_equal(q.roll, 90, 0.01);
	assert_float_equal(q.yaw, 0, 0.01);
}

static void test_fine_stripes_are_sharper_than_broad_ones_and_grey_is_not_sharp(void **state)
{
	(void)state;
	paint(2);
	double fine = measure(upright).sharpness;
	paint(16);
	double broad = measure(upright).sharpness;
	assert_true(fine > 2 * broad);
	memset(crop, 90, sizeof(crop));
	assert_float_equal(measure(upright).sharpness, 0, 1e-6);
}

static void expect(const struct face_quality *quality, const struct quality_limits *limits, const char *measure_name,
		   double value, double limit)
{
	struct error err = {0};

	assert_true(quality_check(quality, limits, &err) < 0);
	assert_int_equal(err.code, ERROR_LOW_QUALITY);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	assert_string_equal(err.measure, measure_name);
	assert_float_equal(err.value, value, 1e-9);
	assert_float_equal(err.limit, limit, 1e-9);
}

static void test_each_limit_refuses_with_measure_value_and_limit(void **state)
{
	const struct quality_limits limits = {24, 50, 40, 30};
	const struct face_quality good = {24, 50, 40, 30};
	struct face_quality bad;
	struct error err = {0};

	(void)state;
	assert_int_equal(quality_check(&good, &limits, &err), 0);
	bad = good;
	bad.eye_distance = 23;
	expect(&bad, &limits, "eye_distance", 23, 24);
	bad = good;
	bad.sharpness = 49;
	expect(&bad, &limits, "sharpness", 49, 50);
	bad = good;
	bad.yaw = 41;
	expect(&bad, &limits, "yaw", 41, 40);
	bad = good;
	bad.roll = 31;
	expect(&bad, &limits, "roll", 31, 30);
}

static void test_limit_of_zero_is_none(void **state)
{
	const struct quality_limits limits = {0};
	const struct face_quality worst = {0, 0, 90, 180};

	(void)state;
	assert_int_equal(quality_check(&worst, &limits, NULL), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_face_that_looks_straight),
    cmocka_unit_test(test_nose_aside_is_yaw_to_either_side),
    cmocka_unit_test(test_tilted_head_is_roll_and_no_yaw),
    cmocka_unit_test(test_fine_stripes_are_sharper_than_broad_ones_and_grey_is_not_sharp),
    cmocka_unit_test(test_each_limit_refuses_with_measure_value_and_limit),
    cmocka_unit_test(test_limit_of_zero_is_none),
};

RUN_TESTS(tests)
