#include "face/sniff.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

/** How far text formats are searched for their first tag. */
#define TEXT_WINDOW 1024

struct magic {
	size_t offset;
	size_t length;
	const char *bytes;
	const char *name;
};

/* Longer and rarer ones first: "BM" alone is weak. */
static const struct magic magics[] = {
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"},
    {0, 2, "\xff\x0a", "JPEG XL"},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"},
    {0, 4, "\xff\x4f\xff\x51", "JPEG 2000"},
    {8, 4, "WEBP", "WebP"},
    {0, 4, "GIF8", "GIF"},
    {0, 4, "II*\0", "TIFF (or a camera's raw format)"},
    {0, 4, "MM\0*", "TIFF (or a camera's raw format)"},
    {0, 4, "II+\0", "BigTIFF"},
    {0, 4, "MM\0+", "BigTIFF"},
    {0, 3, "II\xbc", "JPEG XR"},
    {0, 4, "8BPS", "Photoshop"},
    {0, 5, "%PDF-", "a PDF document"},
    {0, 4, "PK\3\4", "a ZIP archive"},
    {0, 3, "\x1f\x8b\x08", "gzip-compressed"},
    {0, 4, "\0\0\1\0", "ICO"},
    {0, 2, "BM", "BMP"},
};

struct brand {
	char code[5];
	const char *name;
};

static const struct brand brands[] = {
    {"avif", "AVIF"}, {"avis", "AVIF"}, {"heic", "HEIC"}, {"heix", "HEIC"}, {"heim", "HEIC"},      {"heis", "HEIC"},
    {"hevc", "HEIC"}, {"hevx", "HEIC"}, {"mif1", "HEIF"}, {"msf1", "HEIF"}, {"crx ", "Canon CR3"},
};

static const char *brand_name(const uint8_t *code)
{
	for (size_t i = 0; i < array_size(brands); i++) {
		if (memcmp(code, brands[i].code, 4) == 0)
			return brands[i].name;
	}
	return NULL;
}

/** ISO base media: the major brand, unless a compatible one is more telling than a generic HEIF. */
static const char *media_name(const uint8_t *data, size_t size)
{
	if (size < 12 || memcmp(data + 4, "ftyp", 4) != 0)
		return NULL;

	size_t box = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	const char *major = brand_name(data + 8);
	if (major && strcmp(major, "HEIF") != 0)
		return major;
	for (size_t i = 16; i + 4 <= size && i + 4 <= box; i += 4) {
		const char *name = brand_name(data + i);
		if (name && strcmp(name, "HEIF") != 0)
			return name;
	}
	return major ? major : "an MP4 or QuickTime file";
}

static bool contains_tag(const uint8_t *text, size_t size, const char *tag)
{
	size_t length = strlen(tag);

	for (size_t i = 0; i + length <= size; i++) {
		if (strncasecmp((const char *)text + i, tag, length) == 0)
			return true;
	}
	return false;
}

static const char *text_name(const uint8_t *data, size_t size)
{
	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		size -= 3;
	}
	while (size > 0 && strchr(" \t\r\n", data[0]) && data[0] != '\0') {
		data++;
		size--;
	}
	if (size == 0 || data[0] != '<')
		return NULL;
	if (size > TEXT_WINDOW)
		size = TEXT_WINDOW;
	if (contains_tag(data, size, "<html"))
		return "an HTML page";
	if (contains_tag(data, size, "<svg"))
		return "SVG";
	return "XML text";
}

const char *sniff_name(const uint8_t *data, size_t size)
{
	const char *name = media_name(data, size);

	if (name)
		return name;
	for (size_t i = 0; i < array_size(magics); i++) {
		const struct magic *m = &magics[i];
		if (size >= m->offset + m->length && memcmp(data + m->offset, m->bytes, m->length) == 0)
			return m->name;
	}
	return text_name(data, size);
}
