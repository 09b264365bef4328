#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/canvas.h"
#include "cli/output/font.h"
#include "cli/output/picture.h"
#include "face/picture.h"

/* Where picture.c puts things: margin, and the line above the panes. */
#define LEFT 16
#define TOP (16 + 2 * CANVAS_CHARACTER_HEIGHT)

static struct reply a_reply(bool matched)
{
	struct reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.state = TASK_SUCCEEDED;
	reply.result.present = reply.result.has_match = true;
	reply.result.matched = matched;
	reply.result.similarity = 0.8125;
	reply.result.threshold = 0.375;
	reply.result.face_a = (struct reply_face){
	    .present = true,
	    .box = {40, 60, 100, 120},
	    .landmarks = {{70, 100}, {110, 100}, {90, 120}, {75, 150}, {105, 150}},
	    .faces = 2,
	};
	reply.result.face_b = reply.result.face_a;
	return reply;
}

static struct image drawn(const struct bytes *a, const struct bytes *b, const struct reply *reply)
{
	const struct picture_photo photos[] = {{a->data, a->size}, {b->data, b->size}};
	struct buffer out = {0};
	struct error err = {0};

	if (picture_draw(&out, photos, &picture_limits, reply, &err) < 0)
		fail_msg("%s", err.text);
	struct bytes jpeg = {out.data, out.size};
	struct image image = picture_decode(&jpeg);
	buffer_finish(&out);
	return image;
}

/* JPEG changes colours a little. */
static bool looks(const struct image *image, int x, int y, int red, int green, int blue)
{
	const uint8_t *p = image->pixels + ((size_t)y * image->width + x) * 3;

	return abs(p[0] - red) < 60 && abs(p[1] - green) < 60 && abs(p[2] - blue) < 60;
}

static struct bytes photograph(int width, int height, int exif)
{
	struct image upright = picture_gradient(width, height);
	struct image stored = picture_turned(&upright, exif);
	struct bytes jpeg = picture_jpeg(&stored, &(struct jpeg_style){.exif = exif});

	image_finish(&upright);
	image_finish(&stored);
	return jpeg;
}

static void test_boxes_and_landmarks(void **state)
{
	(void)state;
	struct bytes a = photograph(400, 300, 1);
	struct bytes b = photograph(300, 200, 1);
	struct reply reply = a_reply(true);
	struct image image = drawn(&a, &b, &reply);

	assert_int_equal(image.width, 3 * LEFT + 700);
	assert_int_equal(image.height, TOP + 300 + 16 + 3 * 9 + 2 * 9 + 16);
	assert_true(looks(&image, LEFT + 40 + 50, TOP + 60, 0x3d, 0xdc, 0x68));
	assert_true(looks(&image, LEFT + 40, TOP + 60 + 50, 0x3d, 0xdc, 0x68));
	assert_true(looks(&image, LEFT + 90, TOP + 120, 0xff, 0xd2, 0x3f));
	assert_true(looks(&image, 2 * LEFT + 400 + 40, TOP + 110, 0x3d, 0xdc, 0x68));
	assert_false(looks(&image, LEFT + 200, TOP + 60, 0x3d, 0xdc, 0x68));
	image_finish(&image);
	reply = a_reply(false);
	image = drawn(&a, &b, &reply);
	assert_true(looks(&image, LEFT + 40 + 50, TOP + 60, 0xff, 0x5a, 0x4d));
	image_finish(&image);
	bytes_free(&a);
	bytes_free(&b);
}

/* Boxes are in pixels of the upright picture at full size. */
static void test_a_large_turned_photograph(void **state)
{
	(void)state;
	struct bytes a = photograph(1600, 2000, 6);
	struct bytes b = photograph(3000, 600, 1);
	struct reply reply = a_reply(true);
	memcpy(reply.result.face_a.box, (double[]){500, 1000, 800, 600}, sizeof(reply.result.face_a.box));
	struct image image = drawn(&a, &b, &reply);

	assert_int_equal(image.width, 3 * LEFT + 640 + 1200);
	assert_true(looks(&image, LEFT + 300, TOP + 400, 0x3d, 0xdc, 0x68));
	assert_true(looks(&image, LEFT + 200, TOP + 500, 0x3d, 0xdc, 0x68));
	assert_true(looks(&image, LEFT + 300, TOP + 640, 0x3d, 0xdc, 0x68));
	image_finish(&image);
	bytes_free(&a);
	bytes_free(&b);
}

static void test_an_error(void **state)
{
	(void)state;
	struct bytes a = photograph(300, 200, 1);
	struct bytes b = {.data = (uint8_t *)strdup("no picture"), .size = 10};
	struct reply reply = {.state = TASK_FINAL_FAILED};

	error_set(&reply.error, ERROR_NO_FACE, "%0250d", 7);
	reply.error.image = 'b';
	struct image image = drawn(&a, &b, &reply);
	int red = 0;

	for (int y = TOP + 250 + 16; y < image.height; y++)
		for (int x = 0; x < image.width; x++)
			red += looks(&image, x, y, 0xff, 0x5a, 0x4d);
	assert_true(red > 300);
	assert_true(looks(&image, 2 * LEFT + 300 + 100, TOP + 125, 0x2a, 0x2f, 0x36));
	image_finish(&image);
	bytes_free(&a);
	bytes_free(&b);
}

static void test_boxes_from_elsewhere(void **state)
{
	(void)state;
	static const double odd[] = {1e300, -1e300, INFINITY, NAN, -5};
	struct bytes a = photograph(64, 64, 1);

	for (size_t i = 0; i < array_size(odd); i++) {
		struct reply reply = a_reply(true);
		for (int k = 0; k < 4; k++)
			reply.result.face_a.box[k] = odd[(i + (size_t)k) % array_size(odd)];
		reply.result.face_b.box[2] = reply.result.face_b.landmarks[0][1] = odd[i];
		struct image image = drawn(&a, &a, &reply);
		assert_int_equal(image.width, 640);
		image_finish(&image);
	}
	bytes_free(&a);
}

static void test_letters(void **state)
{
	(void)state;
	assert_ptr_equal(font_rows('a'), font_rows('A'));
	assert_ptr_equal(font_rows('\x7f'), font_rows('?'));
	assert_ptr_equal(font_rows('\xe4'), font_rows('?'));
	assert_ptr_equal(font_rows('\n'), font_rows('?'));
	assert_ptr_not_equal(font_rows(' '), font_rows('?'));
	for (const char *c = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;-+/%()<>=_!'"; *c; c++)
		assert_ptr_not_equal(font_rows(*c), font_rows('?'));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_boxes_and_landmarks),
    cmocka_unit_test(test_a_large_turned_photograph),
    cmocka_unit_test(test_an_error),
    cmocka_unit_test(test_boxes_from_elsewhere),
    cmocka_unit_test(test_letters),
};

RUN_TESTS(tests)
