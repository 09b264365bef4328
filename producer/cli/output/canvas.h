#ifndef CLI_CANVAS_H
#define CLI_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/** Red, green and blue as 0xRRGGBB. */
typedef uint32_t canvas_colour;

/** A picture to draw on: RGB, 8 bit, rows without padding. Whatever lies outside of it is not drawn. */
struct canvas {
	int width;
	int height;
	uint8_t *pixels;
};

/** Width and height of a character, the gaps to its neighbours included, at scale 1. */
#define CANVAS_CHARACTER_WIDTH 6
#define CANVAS_CHARACTER_HEIGHT 9

/** Makes room for width × height pixels (each 1 … 65500), all of one colour. canvas_finish() frees it. */
int canvas_init(struct canvas *canvas, int width, int height, canvas_colour colour, struct error *err) must_check;
void canvas_finish(struct canvas *canvas);

/** Fills a rectangle. */
void canvas_fill(struct canvas *canvas, int x, int y, int width, int height, canvas_colour colour);

/** The outline of a rectangle, `thickness` pixels, half of them outside. */
void canvas_outline(struct canvas *canvas, int x, int y, int width, int height, int thickness, canvas_colour colour);

/** A disc around the centre (x, y). */
void canvas_disc(struct canvas *canvas, int x, int y, int radius, canvas_colour colour);

/** Places a picture of `width` × `height` pixels RGB, its corner at (x, y), wholly inside. */
void canvas_place(struct canvas *canvas, int x, int y, const uint8_t *rgb, int width, int height);

/**
 * Writes a line in capitals of `scale` times 5×7 pixels, its upper left corner at (x, y): letters, digits and what
 * sentences need of ASCII; for anything else a question mark.
 */
void canvas_text(struct canvas *canvas, int x, int y, int scale, canvas_colour colour, const char *text);

/** Appends the picture as a JPEG. */
int canvas_encode(const struct canvas *canvas, int quality, struct buffer *out, struct error *err) must_check;

#endif
