#include "run.h"

#include <stdlib.h>
#include <string.h>

#include <spng.h>

#include "face/image_decode.h"
#include "picture.h"

#define SIDE 8

/** Encodes SIDE × SIDE raw pixels in the header's format. */
static struct bytes encode(struct spng_ihdr header, const void *pixels, size_t size, const struct spng_plte *palette,
			   const struct spng_trns *trns, const struct spng_exif *exif)
{
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	struct bytes bytes;
	int status = 0;

	assert_non_null(ctx);
	header.width = SIDE;
	header.height = SIDE;
	spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
	assert_int_equal(spng_set_ihdr(ctx, &header), 0);
	if (palette)
		assert_int_equal(spng_set_plte(ctx, (struct spng_plte *)palette), 0);
	if (trns)
		assert_int_equal(spng_set_trns(ctx, (struct spng_trns *)trns), 0);
	if (exif)
		assert_int_equal(spng_set_exif(ctx, (struct spng_exif *)exif), 0);
	assert_int_equal(spng_encode_image(ctx, pixels, size, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
	bytes.data = spng_get_png_buffer(ctx, &bytes.size, &status);
	assert_non_null(bytes.data);
	spng_ctx_free(ctx);
	return bytes;
}

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

/** Decodes and checks that the pixel at (0, 0) is what was asked for. */
static void check_first(struct bytes png, int r, int g, int b)
{
	struct image image = picture_decode(&png);

	assert_int_equal(image.width, SIDE);
	assert_int_equal(image.pixels[0], r);
	assert_int_equal(image.pixels[1], g);
	assert_int_equal(image.pixels[2], b);
	image_finish(&image);
	bytes_free(&png);
}

static void test_truecolour_is_exact(void **state)
{
	struct image picture = picture_gradient(37, 21);
	struct bytes png = picture_png(&picture);
	struct image decoded = picture_decode(&png);

	(void)state;
	assert_int_equal(decoded.full_width, 37);
	assert_int_equal(decoded.full_height, 21);
	assert_int_equal(picture_largest_difference(&picture, &decoded), 0);
	image_finish(&picture);
	image_finish(&decoded);
	bytes_free(&png);
}

static void test_other_pixel_formats(void **state)
{
	uint8_t grey[SIDE * SIDE] = {200};
	uint16_t deep[SIDE * SIDE * 3] = {0x1234, 0xabcd, 0xffff};
	uint8_t bits[SIDE * SIDE / 8] = {0x80};
	uint8_t indices[SIDE * SIDE] = {1};
	struct spng_plte palette = {.n_entries = 2, .entries = {{.red = 9}, {.red = 10, .green = 20, .blue = 30}}};

	(void)state;
	check_first(encode((struct spng_ihdr){.bit_depth = 8, .color_type = SPNG_COLOR_TYPE_GRAYSCALE}, grey,
			   sizeof(grey), NULL, NULL, NULL),
		    200, 200, 200);
	check_first(encode((struct spng_ihdr){.bit_depth = 16, .color_type = SPNG_COLOR_TYPE_TRUECOLOR}, deep,
			   sizeof(deep), NULL, NULL, NULL),
		    0x12, 0xab, 0xff);
	check_first(encode((struct spng_ihdr){.bit_depth = 1, .color_type = SPNG_COLOR_TYPE_GRAYSCALE}, bits,
			   sizeof(bits), NULL, NULL, NULL),
		    255, 255, 255);
	check_first(encode((struct spng_ihdr){.bit_depth = 8, .color_type = SPNG_COLOR_TYPE_INDEXED}, indices,
			   sizeof(indices), &palette, NULL, NULL),
		    10, 20, 30);
}

static void test_alpha_on_black(void **state)
{
	uint8_t rgba[SIDE * SIDE * 4] = {200, 100, 50, 51};
	uint8_t indices[SIDE * SIDE] = {1};
	struct spng_plte palette = {.n_entries = 2, .entries = {{.red = 9}, {.red = 100, .green = 200, .blue = 30}}};
	struct spng_trns trns = {.n_type3_entries = 2, .type3_alpha = {255, 51}};

	(void)state;
	check_first(encode((struct spng_ihdr){.bit_depth = 8, .color_type = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA}, rgba,
			   sizeof(rgba), NULL, NULL, NULL),
		    40, 20, 10);
	check_first(encode((struct spng_ihdr){.bit_depth = 8, .color_type = SPNG_COLOR_TYPE_INDEXED}, indices,
			   sizeof(indices), &palette, &trns, NULL),
		    20, 40, 6);
}

/* libspng writes no interlaced files: this one (4×4, red, Adam7) is kept as bytes. */
static void test_interlaced(void **state)
{
	struct bytes png = picture_read_file("tests/fuzz/corpus/image/interlaced.png");
	struct image image = picture_decode(&png);

	(void)state;
	assert_int_equal(image.width, 4);
	assert_int_equal(image.height, 4);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(image.pixels[3 * i], 16 * i);
		assert_int_equal(image.pixels[3 * i + 1], 255 - 16 * i);
	}
	image_finish(&image);
	bytes_free(&png);
}

static void test_exif_turn(void **state)
{
	char block[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0";
	struct spng_exif exif = {.data = block, .length = sizeof(block) - 1};
	struct image upright = picture_gradient(SIDE, SIDE);
	struct image stored = picture_turned(&upright, 6);
	struct bytes png = encode((struct spng_ihdr){.bit_depth = 8, .color_type = SPNG_COLOR_TYPE_TRUECOLOR},
				  stored.pixels, SIDE * SIDE * 3, NULL, NULL, &exif);
	struct image decoded = picture_decode(&png);

	(void)state;
	assert_int_equal(picture_largest_difference(&upright, &decoded), 0);
	image_finish(&upright);
	image_finish(&stored);
	image_finish(&decoded);
	bytes_free(&png);
}

static void test_truncated_and_damaged(void **state)
{
	struct image picture = picture_gradient(40, 30);
	struct bytes png = picture_png(&picture);

	(void)state;
	/* libspng does not read the last four bytes: the checksum of an empty chunk. */
	for (size_t size = 1; size < png.size - 4; size++) {
		struct bytes cut = {malloc(size), size};

		assert_non_null(cut.data);
		memcpy(cut.data, png.data, size);
		assert_int_equal(refusal(&cut, &picture_limits, NULL), ERROR_IMAGE_CORRUPT);
		bytes_free(&cut);
	}
	png.data[png.size / 2] ^= 0x40;
	assert_int_equal(refusal(&png, &picture_limits, NULL), ERROR_IMAGE_CORRUPT);
	image_finish(&picture);
	bytes_free(&png);
}

static void test_trailing_bytes_are_tolerated(void **state)
{
	struct image picture = picture_gradient(40, 30);
	struct bytes png = picture_png(&picture);
	struct bytes longer = {calloc(1, png.size + 100), png.size + 100};

	(void)state;
	assert_non_null(longer.data);
	memcpy(longer.data, png.data, png.size);
	assert_int_equal(refusal(&longer, &picture_limits, NULL), ERROR_NONE);
	image_finish(&picture);
	bytes_free(&png);
	bytes_free(&longer);
}

static void test_limits_from_the_header(void **state)
{
	struct image picture = picture_gradient(300, 200);
	struct bytes png = picture_png(&picture);
	struct image_limits limits = {.max_bytes = 1u << 20, .max_pixels = 59999, .max_side = 300};
	struct error err;

	(void)state;
	assert_int_equal(refusal(&png, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "pixels");
	limits.max_side = 299;
	assert_int_equal(refusal(&png, &limits, &err), ERROR_IMAGE_TOO_LARGE);
	assert_string_equal(err.measure, "width");
	image_finish(&picture);
	bytes_free(&png);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_truecolour_is_exact),
    cmocka_unit_test(test_other_pixel_formats),
    cmocka_unit_test(test_alpha_on_black),
    cmocka_unit_test(test_interlaced),
    cmocka_unit_test(test_exif_turn),
    cmocka_unit_test(test_truncated_and_damaged),
    cmocka_unit_test(test_trailing_bytes_are_tolerated),
    cmocka_unit_test(test_limits_from_the_header),
};
RUN_TESTS(tests)
