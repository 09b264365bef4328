#ifndef FACE_PNG_H
#define FACE_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/image.h"

/** True for data that begins like a PNG, however short. */
bool png_matches(const uint8_t *data, size_t size);

/** image_decode() for a PNG; always at full size. */
int png_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits,
	       struct error *err) must_check;

#endif
