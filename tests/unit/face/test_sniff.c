#include "run.h"

#include <string.h>

#include "base/compiler.h"
#include "face/sniff.h"

static const struct {
	const char *name;
	size_t size;
	const char *bytes;
} samples[] = {
    {"HEIC", 24,
     "\0\0\0\x18"
     "ftypheic\0\0\0\0mif1heic"},
    {"HEIC", 24,
     "\0\0\0\x18"
     "ftypmif1\0\0\0\0mif1heic"},
    {"AVIF", 24,
     "\0\0\0\x18"
     "ftypavif\0\0\0\0mif1avif"},
    {"AVIF", 24,
     "\0\0\0\x18"
     "ftypmif1\0\0\0\0mif1avif"},
    {"HEIF", 20,
     "\0\0\0\x14"
     "ftypmif1\0\0\0\0mif1"},
    {"an MP4 or QuickTime file", 20,
     "\0\0\0\x14"
     "ftypisom\0\0\0\0isom"},
    {"WebP", 16, "RIFF\x10\0\0\0WEBPVP8 "},
    {"GIF", 6, "GIF89a"},
    {"BMP", 4, "BM\x36\0"},
    {"TIFF (or a camera's raw format)", 8, "II*\0\x08\0\0\0"},
    {"TIFF (or a camera's raw format)", 8, "MM\0*\0\0\0\x08"},
    {"JPEG 2000", 12, "\0\0\0\x0cjP  \r\n\x87\n"},
    {"JPEG 2000", 4, "\xff\x4f\xff\x51"},
    {"JPEG XL", 12, "\0\0\0\x0cJXL \r\n\x87\n"},
    {"JPEG XL", 2, "\xff\x0a"},
    {"a PDF document", 8, "%PDF-1.7"},
    {"SVG", 48, "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3\">"},
    {"SVG", 9, "\xef\xbb\xbf <svg>"},
    {"an HTML page", 21, "<!DOCTYPE html>\n<html"},
    {"XML text", 6, "<error"},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(samples); i++)
		assert_string_equal(sniff_name((const uint8_t *)samples[i].bytes, samples[i].size), samples[i].name);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_null(sniff_name((const uint8_t *)"hello", 5));
	assert_null(sniff_name((const uint8_t *)"", 0));
	assert_null(sniff_name((const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16));
}

/* No prefix of a sample may be read beyond its end (a sanitizer would say so) or named something else. */
static void test_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_size(samples); i++) {
		for (size_t size = 0; size < samples[i].size; size++) {
			uint8_t exact[64];

			memcpy(exact, samples[i].bytes, size);
			memset(exact + size, 0, sizeof(exact) - size);
			const char *name = sniff_name(exact, size);
			if (name && strcmp(name, samples[i].name) != 0)
				assert_true(strcmp(name, "XML text") == 0 || strcmp(name, "HEIF") == 0 ||
					    strcmp(name, "an MP4 or QuickTime file") == 0);
		}
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_names),
    cmocka_unit_test(test_unknown),
    cmocka_unit_test(test_prefixes),
};
RUN_TESTS(tests)
