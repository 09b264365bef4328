#ifndef FACE_JPEG_WRITE_H
#define FACE_JPEG_WRITE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/** Appends `rgb` (height × width × 3) as a JPEG of `quality` 1 to 100 with full colour. Without memory: `internal`. */
int jpeg_write(const uint8_t *rgb, int width, int height, int quality, struct buffer *out,
	       struct error *err) must_check;

#endif
