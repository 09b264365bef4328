/* A JPEG or PNG from anywhere: decoded whole, and as small as detection would want it. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "face/image_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(struct image *image, const uint8_t *data, size_t size, int enough)
{
	static const struct image_limits limits = {.max_bytes = 1u << 20, .max_pixels = 400000, .max_side = 2000};
	struct error err = {0};

	if (image_decode(image, data, size, &limits, enough, &err)) {
		assert(error_is_set(&err));
		return;
	}
	assert(image->width >= 1 && image->width <= image->full_width && image->full_width <= limits.max_side);
	assert(image->height >= 1 && image->height <= image->full_height && image->full_height <= limits.max_side);

	/* Every pixel is there: a sanitizer watches the reads. */
	size_t bytes = (size_t)image->width * image->height * 3;
	volatile unsigned sum = 0;
	for (size_t i = 0; i < bytes; i++)
		sum += image->pixels[i];
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = {0};

	decode(&image, data, size, 0);
	decode(&image, data, size, 64);
	image_finish(&image);
	return 0;
}
