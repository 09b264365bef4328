#ifndef FACE_EXIF_H
#define FACE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/**
 * The orientation (1 to 8) in an Exif block that begins with its TIFF header; 1 when the block is
 * damaged or says nothing. Reads the first directory only and nothing outside `size`.
 */
int exif_orientation(const uint8_t *tiff, size_t size);

#endif
