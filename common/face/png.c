#include "face/png.h"

#include <stdlib.h>
#include <string.h>

#include <spng.h>

#include "face/exif.h"
#include "face/orientation.h"

/** One ancillary chunk (a colour profile, a text) after decompression, and all that are kept together. */
#define MAX_CHUNK_BYTES (8u << 20)
#define MAX_CACHE_BYTES (16u << 20)

bool png_matches(const uint8_t *data, size_t size)
{
	return memcmp(data, "\x89PNG\r\n\x1a\n", size < 8 ? size : 8) == 0;
}

static void free_ctx(spng_ctx **ctx)
{
	spng_ctx_free(*ctx);
}

static int refuse(int status, struct error *err)
{
	return error_set(err, status == SPNG_EMEM ? ERROR_INTERNAL : ERROR_IMAGE_CORRUPT, "PNG: %s",
			 spng_strerror(status));
}

static bool has_alpha(spng_ctx *ctx, const struct spng_ihdr *header)
{
	struct spng_trns trns;

	return header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
	       header->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA || spng_get_trns(ctx, &trns) == 0;
}

/** RGBA to RGB in the same memory, over black. */
static void flatten(uint8_t *pixels, size_t count)
{
	const uint8_t *from = pixels;
	uint8_t *to = pixels;

	for (size_t i = 0; i < count; i++, from += 4, to += 3) {
		unsigned alpha = from[3];

		to[0] = (uint8_t)((from[0] * alpha + 127) / 255);
		to[1] = (uint8_t)((from[1] * alpha + 127) / 255);
		to[2] = (uint8_t)((from[2] * alpha + 127) / 255);
	}
}

static int turn_upright(struct image *image, int exif, struct error *err)
{
	struct orientation o = orientation_of(exif, image->width, image->height);
	struct image turned = {0};

	if (orientation_is_upright(&o))
		return 0;
	int rc = image_reserve(&turned, (size_t)image->width * image->height * 3, err);
	if (rc)
		return rc;
	for (int y = 0; y < image->height; y++)
		orientation_put_row(&o, turned.pixels, image->pixels + (size_t)y * image->width * 3, y, image->width);
	turned.width = o.swaps ? image->height : image->width;
	turned.height = o.swaps ? image->width : image->height;
	image_finish(image);
	*image = turned;
	return 0;
}

static int decode_pixels(spng_ctx *ctx, const struct spng_ihdr *header, struct image *image, struct error *err)
{
	bool alpha = has_alpha(ctx, header);
	size_t count = (size_t)header->width * header->height;
	size_t bytes = count * (alpha ? 4 : 3);
	int status;

	int rc = image_reserve(image, bytes, err);
	if (rc)
		return rc;
	status = spng_decode_image(ctx, image->pixels, bytes, alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8,
				   alpha ? SPNG_DECODE_TRNS : 0);
	if (status)
		return refuse(status, err);
	/* To the end: a file without its last chunk is truncated, and Exif may follow the pixels. */
	status = spng_decode_chunks(ctx);
	if (status)
		return refuse(status, err);
	if (alpha)
		flatten(image->pixels, count);
	return 0;
}

int png_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits,
	       struct error *err)
{
	spng_ctx *ctx cleanup_with(free_ctx) = spng_ctx_new(0);
	struct spng_ihdr header;
	struct spng_exif exif;
	int status;
	int rc;

	if (!ctx)
		return error_set(err, ERROR_INTERNAL, "no memory for a PNG decoder");
	status = spng_set_chunk_limits(ctx, MAX_CHUNK_BYTES, MAX_CACHE_BYTES);
	if (status == 0)
		status = spng_set_png_buffer(ctx, data, size);
	if (status == 0)
		status = spng_get_ihdr(ctx, &header);
	if (status)
		return refuse(status, err);
	rc = image_check_size(header.width, header.height, limits, err);
	if (rc)
		return rc;
	rc = decode_pixels(ctx, &header, image, err);
	if (rc)
		return rc;

	image->width = (int)header.width;
	image->height = (int)header.height;
	rc = turn_upright(
	    image, spng_get_exif(ctx, &exif) == 0 ? exif_orientation((uint8_t *)exif.data, exif.length) : 1, err);
	if (rc)
		return rc;
	image->full_width = image->width;
	image->full_height = image->height;
	return 0;
}
