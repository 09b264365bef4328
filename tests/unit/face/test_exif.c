#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "face/exif.h"

/* One directory of two entries: Make (a text) and Orientation. */
static const uint8_t big[] = "MM\0*\0\0\0\x08\0\x02\x01\x0f\0\x02\0\0\0\x04"
			     "abc\0\x01\x12\0\x03\0\0\0\x01\0\x06\0\0";
static const uint8_t little[] = "II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0"
				"abc\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";

static void test_both_byte_orders(void **state)
{
	(void)state;
	assert_int_equal(exif_orientation(big, sizeof(big) - 1), 6);
	assert_int_equal(exif_orientation(little, sizeof(little) - 1), 6);
}

static void test_every_truncation_is_upright(void **state)
{
	(void)state;
	/* The value ends two bytes before the block does. */
	for (size_t size = 0; size < sizeof(big) - 3; size++) {
		uint8_t *exact = malloc(size + 1);

		assert_non_null(exact);
		memcpy(exact, big, size);
		assert_int_equal(exif_orientation(exact, size), 1);
		free(exact);
	}
}

static int orientation_with(size_t at, uint8_t value)
{
	uint8_t block[sizeof(big)];

	memcpy(block, big, sizeof(big));
	block[at] = value;
	return exif_orientation(block, sizeof(big) - 1);
}

static void test_nonsense_is_upright(void **state)
{
	(void)state;
	assert_int_equal(orientation_with(0, 'X'), 1);
	assert_int_equal(orientation_with(3, '+'), 1);
	assert_int_equal(orientation_with(4, 0xff), 1);  /* directory far outside */
	assert_int_equal(orientation_with(25, 0x04), 1); /* another type */
	assert_int_equal(orientation_with(31, 0), 1);
	assert_int_equal(orientation_with(31, 9), 1);
	assert_int_equal(orientation_with(31, 8), 8);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_both_byte_orders),
    cmocka_unit_test(test_every_truncation_is_upright),
    cmocka_unit_test(test_nonsense_is_upright),
};
RUN_TESTS(tests)
