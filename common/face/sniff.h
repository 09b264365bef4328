#ifndef FACE_SNIFF_H
#define FACE_SNIFF_H

#include <stddef.h>
#include <stdint.h>

/**
 * Names a format that facefleet does not decode ("HEIC", "a PDF document" …) by its first bytes, so
 * that a refusal tells the sender what he sent. NULL for none it knows. Static storage.
 */
const char *sniff_name(const uint8_t *data, size_t size);

#endif
