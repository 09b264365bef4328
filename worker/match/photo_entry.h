#ifndef MATCH_PHOTO_ENTRY_H
#define MATCH_PHOTO_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "face/engine.h"

/* What was found in a photograph as one run of bytes, little-endian, as caches keep it. */

/** Appends the faces and the embeddings (of `dimension` numbers). Returns as buffer_append(). */
int photo_entry_write(const struct face_set *faces, int dimension, struct buffer *out) must_check;

/**
 * Reads what photo_entry_write() wrote and somebody else may have changed: counts, finite numbers and unit length are
 * checked. Returns 0 or -EBADMSG; `faces` may be half written then.
 */
int photo_entry_read(const uint8_t *bytes, size_t size, int dimension, struct face_set *faces) must_check;

#endif
