#include "face/exif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3
#define ENTRY_SIZE 12

/** A TIFF block and its byte order; every read is checked against `size`. */
struct tiff {
	const uint8_t *data;
	size_t size;
	bool big_endian;
};

static bool read_u16(const struct tiff *t, size_t at, unsigned *value)
{
	if (t->size < 2 || at > t->size - 2)
		return false;
	const uint8_t *p = t->data + at;
	*value = t->big_endian ? (unsigned)p[0] << 8 | p[1] : (unsigned)p[1] << 8 | p[0];
	return true;
}

static bool read_u32(const struct tiff *t, size_t at, uint32_t *value)
{
	unsigned first;
	unsigned second;

	if (!read_u16(t, at, &first) || !read_u16(t, at + 2, &second))
		return false;
	*value = t->big_endian ? (uint32_t)first << 16 | second : (uint32_t)second << 16 | first;
	return true;
}

int exif_orientation(const uint8_t *tiff, size_t size)
{
	struct tiff t = {.data = tiff, .size = size};
	unsigned magic;
	uint32_t directory;
	unsigned entries;

	if (size < 8)
		return 1;
	if (memcmp(tiff, "MM", 2) == 0)
		t.big_endian = true;
	else if (memcmp(tiff, "II", 2) != 0)
		return 1;
	if (!read_u16(&t, 2, &magic) || magic != 42 || !read_u32(&t, 4, &directory) ||
	    !read_u16(&t, directory, &entries))
		return 1;

	for (unsigned i = 0; i < entries; i++) {
		size_t at = (size_t)directory + 2 + (size_t)i * ENTRY_SIZE;
		unsigned tag;
		unsigned type;
		unsigned value;

		if (!read_u16(&t, at, &tag) || !read_u16(&t, at + 2, &type) || !read_u16(&t, at + 8, &value))
			return 1;
		if (tag == TAG_ORIENTATION)
			return type == TYPE_SHORT && value >= 1 && value <= 8 ? (int)value : 1;
	}
	return 1;
}
