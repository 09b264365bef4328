#include "run.h"

#include <string.h>

#include "face/image_decode.h"
#include "picture.h"

static struct error decode_error(const void *data, size_t size)
{
	struct image image = {0};
	struct error err = {0};

	assert_true(image_decode(&image, data, size, &picture_limits, 0, &err) < 0);
	image_finish(&image);
	return err;
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(decode_error("", 0).code, ERROR_IMAGE_CORRUPT);
}

static void test_other_formats_are_named(void **state)
{
	struct error err = decode_error("RIFF\x10\0\0\0WEBPVP8 ", 16);

	(void)state;
	assert_int_equal(err.code, ERROR_IMAGE_UNSUPPORTED);
	assert_int_equal(err.class, ERROR_CLASS_REJECT);
	assert_non_null(strstr(err.text, "WebP"));
}

static void test_anything_else(void **state)
{
	struct error err = decode_error("no picture", 10);

	(void)state;
	assert_int_equal(err.code, ERROR_IMAGE_UNSUPPORTED);
	assert_non_null(strstr(err.text, "0x6e"));
}

static void test_no_error_wanted(void **state)
{
	struct image image = {0};

	(void)state;
	assert_true(image_decode(&image, (const uint8_t *)"\xff\xd8\xff", 3, &picture_limits, 0, NULL) < 0);
	image_finish(&image);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_empty),
    cmocka_unit_test(test_other_formats_are_named),
    cmocka_unit_test(test_anything_else),
    cmocka_unit_test(test_no_error_wanted),
};
RUN_TESTS(tests)
