#include "cli/output/canvas.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/font.h"
#include "face/jpeg_write.h"

int canvas_init(struct canvas *canvas, int width, int height, canvas_colour colour, struct error *err)
{
	*canvas = (struct canvas){.width = width, .height = height};
	canvas->pixels = malloc((size_t)width * height * 3);
	if (!canvas->pixels)
		return error_set(err, ERROR_INTERNAL, "no memory for a picture of %d×%d pixels", width, height);
	canvas_fill(canvas, 0, 0, width, height, colour);
	return 0;
}

void canvas_finish(struct canvas *canvas)
{
	free(canvas->pixels);
	*canvas = (struct canvas){0};
}

static int clamp(int64_t value, int high)
{
	return value < 0 ? 0 : value > high ? high : (int)value;
}

void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, canvas_colour colour)
{
	int right = clamp((int64_t)x + width, canvas->width);
	int bottom = clamp((int64_t)y + height, canvas->height);

	for (int row = clamp(y, canvas->height); row < bottom; row++) {
		int column = clamp(x, canvas->width);
		uint8_t *pixel = canvas->pixels + ((size_t)row * canvas->width + column) * 3;

		for (; column < right; column++) {
			*pixel++ = (uint8_t)(colour >> 16);
			*pixel++ = (uint8_t)(colour >> 8);
			*pixel++ = (uint8_t)colour;
		}
	}
}

void canvas_outline(struct canvas *canvas, int x, int y, int width, int height, int thickness, canvas_colour colour)
{
	int half = thickness / 2;
	int left = x - half;
	int top = y - half;

	canvas_fill(canvas, left, top, width + thickness, thickness, colour);
	canvas_fill(canvas, left, top + height, width + thickness, thickness, colour);
	canvas_fill(canvas, left, top, thickness, height + thickness, colour);
	canvas_fill(canvas, left + width, top, thickness, height + thickness, colour);
}

void canvas_disc(struct canvas *canvas, int x, int y, int radius, canvas_colour colour)
{
	for (int dy = -radius; dy <= radius; dy++) {
		int reach = 0;

		while ((reach + 1) * (reach + 1) + dy * dy <= radius * radius)
			reach++;
		canvas_fill(canvas, x - reach, y + dy, 2 * reach + 1, 1, colour);
	}
}

void canvas_place(struct canvas *canvas, int x, int y, const uint8_t *rgb, int width, int height)
{
	for (int row = 0; row < height; row++)
		memcpy(canvas->pixels + ((size_t)(y + row) * canvas->width + x) * 3, rgb + (size_t)row * width * 3,
		       (size_t)width * 3);
}

void canvas_text(struct canvas *canvas, int x, int y, int scale, canvas_colour colour, const char *text)
{
	for (; *text; text++, x += CANVAS_CHARACTER_WIDTH * scale) {
		const uint8_t *rows = font_rows(*text);

		for (int row = 0; row < FONT_HEIGHT; row++)
			for (int column = 0; column < FONT_WIDTH; column++)
				if (rows[row] >> (FONT_WIDTH - 1 - column) & 1)
					canvas_fill(canvas, x + column * scale, y + row * scale, scale, scale, colour);
	}
}

int canvas_encode(const struct canvas *canvas, int quality, struct buffer *out, struct error *err)
{
	return jpeg_write(canvas->pixels, canvas->width, canvas->height, quality, out, err);
}
