#ifndef FACE_JPEG_H
#define FACE_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/image.h"

/** True for data that begins like a JPEG, however short. */
bool jpeg_matches(const uint8_t *data, size_t size);

/** image_decode() for a JPEG. */
int jpeg_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits, int enough,
		struct error *err) must_check;

#endif
