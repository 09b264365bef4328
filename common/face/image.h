#ifndef FACE_IMAGE_H
#define FACE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** What an image may be at most; read from the header before anything is decoded. */
struct image_limits {
	size_t max_bytes;   /**< encoded */
	int64_t max_pixels; /**< width × height of the full picture */
	int max_side;
};

/** An upright picture, RGB, 8 bit, rows without padding. Its pixel memory is reused from decode to decode. */
struct image {
	int width; /**< of `pixels`, after EXIF orientation */
	int height;
	int full_width; /**< of the picture at full size, after EXIF orientation */
	int full_height;
	uint8_t *pixels; /**< height × width × 3 */
	size_t capacity; /**< bytes allocated */
};

/** Frees the pixels. */
void image_finish(struct image *image);

/* For the decoders: */

/** image_too_large, naming width, height or pixels, when a header asks for more than `limits` allow. */
int image_check_size(int64_t width, int64_t height, const struct image_limits *limits, struct error *err) must_check;

/** Makes room for `bytes` of pixels; what was there is lost. -ENOMEM sets `internal`. */
int image_reserve(struct image *image, size_t bytes, struct error *err) must_check;

#endif
