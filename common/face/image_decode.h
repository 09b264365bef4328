#ifndef FACE_IMAGE_DECODE_H
#define FACE_IMAGE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/image.h"

/**
 * Decodes a JPEG or PNG. With `enough` > 0 a JPEG may be decoded at 1/8, 1/4 or 1/2 of its size (DCT scaling)
 * as long as its long side stays ≥ enough; 0 decodes at full size. Grey, CMYK, YCCK, progressive,
 * 16-bit and palette PNG all become RGB (alpha on black). On refusal: image_corrupt (truncated
 * too), image_too_large (measure, value, limit), image_unsupported (naming the format seen).
 * `image` may be zero-initialised or reused; on error its content is undefined but owned.
 */
int image_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits, int enough,
		 struct error *err) must_check;

#endif
