#include "face/image.h"

#include <stdlib.h>

int image_check_size(int64_t width, int64_t height, const struct image_limits *limits, struct error *err)
{
	if (width < 1 || height < 1)
		return error_set(err, ERROR_IMAGE_CORRUPT, "the header says %lld×%lld pixels", (long long)width,
				 (long long)height);
	if (width > limits->max_side)
		return error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "width", (double)width, limits->max_side,
				       "the picture is %lld pixels wide, the limit is %d", (long long)width,
				       limits->max_side);
	if (height > limits->max_side)
		return error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "height", (double)height, limits->max_side,
				       "the picture is %lld pixels high, the limit is %d", (long long)height,
				       limits->max_side);
	if (width * height > limits->max_pixels)
		return error_set_limit(err, ERROR_IMAGE_TOO_LARGE, "pixels", (double)(width * height),
				       (double)limits->max_pixels,
				       "the picture has %lld×%lld pixels, the limit is %lld", (long long)width,
				       (long long)height, (long long)limits->max_pixels);
	return 0;
}

int image_reserve(struct image *image, size_t bytes, struct error *err)
{
	if (bytes <= image->capacity)
		return 0;
	free(image->pixels);
	image->capacity = 0;
	image->pixels = malloc(bytes);
	if (!image->pixels)
		return error_set(err, ERROR_INTERNAL, "no memory for %zu bytes of pixels", bytes);
	image->capacity = bytes;
	return 0;
}

void image_finish(struct image *image)
{
	free(image->pixels);
	*image = (struct image){0};
}
