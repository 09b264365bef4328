#ifndef FACE_ORIENTATION_H
#define FACE_ORIENTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * How a picture as stored is turned upright: the pixel (x, y) as stored belongs at byte
 * origin + x × step_x + y × step_y of the upright one.
 */
struct orientation {
	bool swaps; /**< width and height change places */
	ptrdiff_t origin;
	ptrdiff_t step_x;
	ptrdiff_t step_y;
};

/** For an Exif orientation (1 to 8) and the size as stored; three bytes a pixel, no padding. */
struct orientation orientation_of(int exif, int stored_width, int stored_height);

/** True if pixels stay where they are, so that rows can be written straight into the picture. */
bool orientation_is_upright(const struct orientation *o);

/** Puts row `y` as stored (RGB, `width` pixels) where it belongs in the upright picture. */
void orientation_put_row(const struct orientation *o, uint8_t *upright, const uint8_t *row, int y, int width);

#endif
