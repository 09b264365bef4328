#include "face/image_decode.h"

#include "face/jpeg.h"
#include "face/png.h"
#include "face/sniff.h"

int image_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits, int enough,
		 struct error *err)
{
	if (size == 0)
		return error_set(err, ERROR_IMAGE_CORRUPT, "the image is empty");
	if (size > limits->max_bytes)
		return error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "bytes", (double)size, (double)limits->max_bytes,
				       "the image has %zu bytes, the limit is %zu", size, limits->max_bytes);
	if (jpeg_matches(data, size))
		return jpeg_decode(image, data, size, limits, enough, err);
	if (png_matches(data, size))
		return png_decode(image, data, size, limits, err);

	const char *name = sniff_name(data, size);
	if (name)
		return error_set(err, ERROR_IMAGE_UNSUPPORTED, "the image is %s; JPEG and PNG are understood", name);
	return error_set(err, ERROR_IMAGE_UNSUPPORTED,
			 "the image is in no known format (it begins with byte 0x%02x); JPEG and PNG are understood",
			 data[0]);
}
