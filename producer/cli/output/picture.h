#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "face/image.h"
#include "job/reply.h"

/** The bytes of a photograph as they were sent. */
struct picture_photo {
	const uint8_t *data;
	size_t size;
};

/**
 * Appends a JPEG (quality 90) of both photographs side by side, upright and at most 1200×800 pixels each: the face that
 * counted in a box, its five landmarks, and below the verdict with its figures, or the error. Only the reply is asked;
 * a photograph that cannot be decoded is an empty pane that says so. `internal` without memory. Blocking.
 */
int picture_draw(struct buffer *out, const struct picture_photo photos[2], const struct image_limits *limits,
		 const struct reply *reply, struct error *err) must_check;

#endif
