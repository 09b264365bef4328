#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "face/image_decode.h"
#include "picture.h"

static enum error_code refusal(const struct bytes *bytes, const struct image_limits *limits, struct error *err)
{
	struct image image = {0};
	struct error local = {0};
	int rc = image_decode(&image, bytes->data, bytes->size, limits, 0, &local);

	image_finish(&image);
	if (err)
		*err = local;
	return rc ? local.code : ERROR_NONE;
}

static void check_style(const struct jpeg_style *style, double tolerance)
{
	struct image picture = picture_gradient(163, 117);
	struct bytes jpeg = picture_jpeg(&picture, style);
	struct image decoded = picture_decode(&jpeg);

	assert_true(picture_mean_difference(&picture, &decoded) < tolerance);
	image_finish(&picture);
	image_finish(&decoded);
	bytes_free(&jpeg);
}

static void test_colours(void **state)
{
	(void)state;
	check_style(&(struct jpeg_style){.colours = COLOURS_YCC}, 2);
	check_style(&(struct jpeg_style){.colours = COLOURS_RGB}, 2);
	check_style(&(struct jpeg_style){.colours = COLOURS_CMYK}, 2);
	check_style(&(struct jpeg_style){.colours = COLOURS_CMYK_PLAIN}, 2);
	check_style(&(struct jpeg_style){.colours = COLOURS_YCCK}, 2);
	check_style(&(struct jpeg_style){.progressive = true}, 2);
	check_style(&(struct jpeg_style){.colours = COLOURS_CMYK, .progressive = true}, 2);
}

static void test_grey(void **state)
{
	struct image picture = picture_gradient(64, 48);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){.colours = COLOURS_GREY});
	struct image decoded = picture_decode(&jpeg);

	(void)state;
	for (int i = 0; i < 64 * 48; i++) {
		const uint8_t *from = picture.pixels + 3 * i;
		const uint8_t *to = decoded.pixels + 3 * i;
		double luma = 0.299 * from[0] + 0.587 * from[1] + 0.114 * from[2];

		assert_true(abs(to[0] - (int)luma) < 8);
		assert_int_equal(to[0], to[1]);
		assert_int_equal(to[0], to[2]);
	}
	image_finish(&picture);
	image_finish(&decoded);
	bytes_free(&jpeg);
}

static void test_exif_turns(void **state)
{
	struct image picture = picture_gradient(96, 64);

	(void)state;
	for (int exif = 1; exif <= 8; exif++) {
		struct image stored = picture_turned(&picture, exif);
		struct bytes jpeg = picture_jpeg(
		    &stored, &(struct jpeg_style){.exif = exif, .exif_little = exif % 2 == 0, .quality = 98});
		struct image decoded = picture_decode(&jpeg);

		assert_int_equal(decoded.width, 96);
		assert_int_equal(decoded.height, 64);
		assert_int_equal(decoded.full_width, 96);
		assert_int_equal(decoded.full_height, 64);
		assert_true(picture_largest_difference(&picture, &decoded) < 10);
		image_finish(&stored);
		image_finish(&decoded);
		bytes_free(&jpeg);
	}
	image_finish(&picture);
}

static void test_turned_cmyk(void **state)
{
	struct image picture = picture_gradient(96, 64);
	struct image stored = picture_turned(&picture, 6);
	struct bytes jpeg = picture_jpeg(&stored, &(struct jpeg_style){.exif = 6, .colours = COLOURS_CMYK});
	struct image decoded = picture_decode(&jpeg);

	(void)state;
	assert_true(picture_mean_difference(&picture, &decoded) < 2);
	image_finish(&picture);
	image_finish(&stored);
	image_finish(&decoded);
	bytes_free(&jpeg);
}

static void test_scales_to_what_is_enough(void **state)
{
	static const struct {
		int enough;
		int width;
	} cases[] = {{0, 800}, {1, 100}, {100, 100}, {101, 200}, {300, 400}, {400, 400}, {401, 800}, {5000, 800}};
	struct image picture = picture_gradient(600, 800);
	struct image stored = picture_turned(&picture, 8);
	struct bytes jpeg = picture_jpeg(&stored, &(struct jpeg_style){.exif = 8});
	struct image decoded = {0};

	(void)state;
	for (size_t i = 0; i < array_size(cases); i++) {
		assert_int_equal(image_decode(&decoded, jpeg.data, jpeg.size, &picture_limits, cases[i].enough, NULL),
				 0);
		assert_int_equal(decoded.height, cases[i].width);
		assert_int_equal(decoded.width, cases[i].width * 3 / 4);
		assert_int_equal(decoded.full_width, 600);
		assert_int_equal(decoded.full_height, 800);

		struct image small = picture_scaled(&picture, decoded.width, decoded.height);
		assert_true(picture_mean_difference(&small, &decoded) < 2);
		image_finish(&small);
	}
	image_finish(&picture);
	image_finish(&stored);
	image_finish(&decoded);
	bytes_free(&jpeg);
}

static void check_truncations(const struct jpeg_style *style)
{
	struct image picture = picture_gradient(120, 90);
	struct bytes jpeg = picture_jpeg(&picture, style);

	assert_int_equal(refusal(&jpeg, &picture_limits, NULL), ERROR_NONE);
	for (size_t size = 1; size < jpeg.size; size += 1 + size / 40) {
		struct bytes cut = {malloc(size), size};

		assert_non_null(cut.data);
		memcpy(cut.data, jpeg.data, size);
		assert_int_equal(refusal(&cut, &picture_limits, NULL), ERROR_IMAGE_CORRUPT);
		bytes_free(&cut);
	}
	for (size_t missing = 1; missing <= 4; missing++) {
		struct bytes cut = {jpeg.data, jpeg.size - missing};
		assert_int_equal(refusal(&cut, &picture_limits, NULL), ERROR_IMAGE_CORRUPT);
	}
	image_finish(&picture);
	bytes_free(&jpeg);
}

static void test_truncated_is_refused(void **state)
{
	(void)state;
	check_truncations(&(struct jpeg_style){0});
	check_truncations(&(struct jpeg_style){.progressive = true});
	check_truncations(&(struct jpeg_style){.exif = 6});
}

/* Puts `extra` bytes before the byte at `at`. */
static struct bytes with_stray(const struct bytes *jpeg, size_t at, size_t extra)
{
	struct bytes stray = {malloc(jpeg->size + extra), jpeg->size + extra};

	assert_non_null(stray.data);
	memcpy(stray.data, jpeg->data, at);
	memset(stray.data + at, 0x55, extra);
	memcpy(stray.data + at + extra, jpeg->data + at, jpeg->size - at);
	return stray;
}

static void test_stray_bytes_are_tolerated(void **state)
{
	struct image picture = picture_gradient(120, 90);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){0});
	/* After the JFIF segment (SOI, then 2 + 16 bytes), and after the end. */
	struct bytes between = with_stray(&jpeg, 20, 7);
	struct bytes behind = with_stray(&jpeg, jpeg.size, 1000);

	(void)state;
	assert_int_equal(refusal(&between, &picture_limits, NULL), ERROR_NONE);
	assert_int_equal(refusal(&behind, &picture_limits, NULL), ERROR_NONE);
	image_finish(&picture);
	bytes_free(&jpeg);
	bytes_free(&between);
	bytes_free(&behind);
}

static void test_damaged_is_refused(void **state)
{
	struct image picture = picture_gradient(120, 90);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){0});

	(void)state;
	/* An end marker in the middle of the pixels. */
	memcpy(jpeg.data + jpeg.size - jpeg.size / 4, "\xff\xd9", 2);
	assert_int_equal(refusal(&jpeg, &picture_limits, NULL), ERROR_IMAGE_CORRUPT);
	image_finish(&picture);
	bytes_free(&jpeg);
}

static void test_too_many_scans(void **state)
{
	struct image picture = picture_gradient(64, 64);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){.many_scans = true});
	struct error err;

	(void)state;
	assert_int_equal(refusal(&jpeg, &picture_limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "scans");
	assert_true(err.limit == 100);
	image_finish(&picture);
	bytes_free(&jpeg);
}

/* Writes another size into the frame header. */
static void patch_size(struct bytes *jpeg, unsigned width, unsigned height)
{
	for (size_t i = 2; i + 9 < jpeg->size; i++) {
		if (jpeg->data[i] == 0xff && jpeg->data[i + 1] == 0xc0) {
			jpeg->data[i + 5] = (uint8_t)(height >> 8);
			jpeg->data[i + 6] = (uint8_t)height;
			jpeg->data[i + 7] = (uint8_t)(width >> 8);
			jpeg->data[i + 8] = (uint8_t)width;
			return;
		}
	}
	fail();
}

static void test_limits_from_the_header(void **state)
{
	struct image picture = picture_gradient(64, 64);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){0});
	struct image_limits limits = {.max_bytes = 1u << 20, .max_pixels = 1000000, .max_side = 5000};
	struct error err;

	(void)state;
	patch_size(&jpeg, 30000, 30000);
	assert_int_equal(refusal(&jpeg, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "width");
	assert_true(err.value == 30000 && err.limit == 5000);
	patch_size(&jpeg, 100, 5001);
	assert_int_equal(refusal(&jpeg, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "height");
	patch_size(&jpeg, 1001, 1000);
	assert_int_equal(refusal(&jpeg, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "pixels");
	assert_true(err.value == 1001000 && err.limit == 1000000);
	limits.max_bytes = jpeg.size - 1;
	assert_int_equal(refusal(&jpeg, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "bytes");
	image_finish(&picture);
	bytes_free(&jpeg);
}

static void test_one_pixel(void **state)
{
	struct image picture = picture_gradient(1, 1);
	struct bytes jpeg = picture_jpeg(&picture, &(struct jpeg_style){0});
	struct image decoded = {0};

	(void)state;
	assert_int_equal(image_decode(&decoded, jpeg.data, jpeg.size, &picture_limits, 640, NULL), 0);
	assert_int_equal(decoded.width, 1);
	assert_int_equal(decoded.height, 1);
	image_finish(&picture);
	image_finish(&decoded);
	bytes_free(&jpeg);
}

static void test_memory_is_reused(void **state)
{
	struct image large = picture_gradient(200, 200);
	struct image small = picture_gradient(50, 50);
	struct bytes first = picture_jpeg(&large, &(struct jpeg_style){0});
	struct bytes second = picture_jpeg(&small, &(struct jpeg_style){0});
	struct image decoded = {0};

	(void)state;
	assert_int_equal(image_decode(&decoded, first.data, first.size, &picture_limits, 0, NULL), 0);
	const uint8_t *pixels = decoded.pixels;
	assert_int_equal(image_decode(&decoded, second.data, second.size, &picture_limits, 0, NULL), 0);
	assert_ptr_equal(decoded.pixels, pixels);
	assert_int_equal(decoded.width, 50);
	image_finish(&large);
	image_finish(&small);
	image_finish(&decoded);
	bytes_free(&first);
	bytes_free(&second);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_colours),
    cmocka_unit_test(test_grey),
    cmocka_unit_test(test_exif_turns),
    cmocka_unit_test(test_turned_cmyk),
    cmocka_unit_test(test_scales_to_what_is_enough),
    cmocka_unit_test(test_truncated_is_refused),
    cmocka_unit_test(test_stray_bytes_are_tolerated),
    cmocka_unit_test(test_damaged_is_refused),
    cmocka_unit_test(test_too_many_scans),
    cmocka_unit_test(test_limits_from_the_header),
    cmocka_unit_test(test_one_pixel),
    cmocka_unit_test(test_memory_is_reused),
};
RUN_TESTS(tests)
