#include "run.h"

#include <string.h>

#include "face/orientation.h"

/* Stored: A B / C D / E F (2×3); what each Exif orientation makes of it, row by row. */
static const char *const upright[9] = {
    [1] = "ABCDEF", [2] = "BADCFE", [3] = "FEDCBA", [4] = "EFCDAB",
    [5] = "ACEBDF", [6] = "ECAFDB", [7] = "FDBECA", [8] = "BDFACE",
};

static void test_all_eight(void **state)
{
	static const char stored[] = "ABCDEF";

	(void)state;
	for (int exif = 1; exif <= 8; exif++) {
		struct orientation o = orientation_of(exif, 2, 3);
		uint8_t pixels[6 * 3] = {0};

		for (int y = 0; y < 3; y++) {
			uint8_t row[6];

			memset(row, stored[2 * y], 3);
			memset(row + 3, stored[2 * y + 1], 3);
			orientation_put_row(&o, pixels, row, y, 2);
		}
		for (int i = 0; i < 6; i++) {
			assert_int_equal(pixels[3 * i], upright[exif][i]);
			assert_int_equal(pixels[3 * i + 2], upright[exif][i]);
		}
		assert_int_equal(o.swaps, exif >= 5);
		assert_int_equal(orientation_is_upright(&o), exif == 1);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_all_eight),
};
RUN_TESTS(tests)
