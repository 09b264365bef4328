#include "picture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <spng.h>

#include "face/image_decode.h"
#include "face/orientation.h"
#include "face/resize.h"

const struct image_limits picture_limits = {.max_bytes = 64u << 20, .max_pixels = 100000000, .max_side = 20000};

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

struct image picture_new(int width, int height)
{
	struct image image = {
	    .width = width,
	    .height = height,
	    .full_width = width,
	    .full_height = height,
	    .capacity = (size_t)width * height * 3,
	};

	image.pixels = calloc(1, image.capacity);
	assert(image.pixels);
	return image;
}

struct image picture_gradient(int width, int height)
{
	struct image image = picture_new(width, height);
	uint8_t *p = image.pixels;

	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++, p += 3) {
			p[0] = (uint8_t)(40 + 180 * x / width);
			p[1] = (uint8_t)(30 + 150 * y / height);
			p[2] = (uint8_t)(200 - 90 * x / width - 60 * y / height);
		}
	}
	return image;
}

static void write_exif(struct jpeg_compress_struct *cinfo, int orientation, bool little)
{
	uint8_t block[32] = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0";
	static const uint8_t little_block[32] = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0";

	if (little)
		memcpy(block, little_block, sizeof(block));
	block[little ? 24 : 25] = (uint8_t)orientation;
	jpeg_write_marker(cinfo, JPEG_APP0 + 1, block, sizeof(block));
}

/** A scan for every coefficient of three components: 1 + 3 × 63. */
static jpeg_scan_info *many_scans(int *count)
{
	static jpeg_scan_info scans[1 + 3 * 63];
	int n = 0;

	scans[n++] = (jpeg_scan_info){.comps_in_scan = 3, .component_index = {0, 1, 2}};
	for (int component = 0; component < 3; component++) {
		for (int k = 1; k < 64; k++)
			scans[n++] =
			    (jpeg_scan_info){.comps_in_scan = 1, .component_index = {component}, .Ss = k, .Se = k};
	}
	*count = n;
	return scans;
}

static void set_colours(struct jpeg_compress_struct *cinfo, enum jpeg_colours colours)
{
	switch (colours) {
	case COLOURS_YCC:
		return;
	case COLOURS_GREY:
		jpeg_set_colorspace(cinfo, JCS_GRAYSCALE);
		return;
	case COLOURS_RGB:
		jpeg_set_colorspace(cinfo, JCS_RGB);
		return;
	case COLOURS_CMYK:
		jpeg_set_colorspace(cinfo, JCS_CMYK);
		return;
	case COLOURS_CMYK_PLAIN:
		jpeg_set_colorspace(cinfo, JCS_CMYK);
		cinfo->write_Adobe_marker = FALSE;
		return;
	case COLOURS_YCCK:
		jpeg_set_colorspace(cinfo, JCS_YCCK);
		return;
	}
}

/** RGB as inks without black, the way Adobe stores them (255 = none) or plainly (0 = none). */
static void ink_row(const uint8_t *rgb, uint8_t *cmyk, int width, bool plain)
{
	for (int x = 0; x < width; x++, rgb += 3, cmyk += 4) {
		for (int c = 0; c < 3; c++)
			cmyk[c] = plain ? 255 - rgb[c] : rgb[c];
		cmyk[3] = plain ? 0 : 255;
	}
}

struct bytes picture_jpeg(const struct image *picture, const struct jpeg_style *style)
{
	struct jpeg_compress_struct cinfo;
	struct jpeg_error_mgr manager;
	unsigned char *data = NULL;
	unsigned long size = 0;
	bool inks = style->colours >= COLOURS_CMYK;

	cinfo.err = jpeg_std_error(&manager);
	jpeg_create_compress(&cinfo);
	jpeg_mem_dest(&cinfo, &data, &size);
	cinfo.image_width = picture->width;
	cinfo.image_height = picture->height;
	cinfo.input_components = inks ? 4 : 3;
	cinfo.in_color_space = inks ? JCS_CMYK : JCS_RGB;
	jpeg_set_defaults(&cinfo);
	jpeg_set_quality(&cinfo, style->quality ? style->quality : 90, TRUE);
	set_colours(&cinfo, style->colours);
	if (style->progressive)
		jpeg_simple_progression(&cinfo);
	if (style->many_scans)
		cinfo.scan_info = many_scans(&cinfo.num_scans);
	jpeg_start_compress(&cinfo, TRUE);
	if (style->exif)
		write_exif(&cinfo, style->exif, style->exif_little);

	uint8_t *inked = malloc((size_t)picture->width * 4);
	assert(inked);
	for (int y = 0; y < picture->height; y++) {
		JSAMPROW row = picture->pixels + (size_t)y * picture->width * 3;

		if (inks) {
			ink_row(row, inked, picture->width, style->colours == COLOURS_CMYK_PLAIN);
			row = inked;
		}
		jpeg_write_scanlines(&cinfo, &row, 1);
	}
	jpeg_finish_compress(&cinfo);
	jpeg_destroy_compress(&cinfo);
	free(inked);
	return (struct bytes){data, size};
}

struct bytes picture_png(const struct image *picture)
{
	struct spng_ihdr header = {
	    .width = picture->width,
	    .height = picture->height,
	    .bit_depth = 8,
	    .color_type = SPNG_COLOR_TYPE_TRUECOLOR,
	};
	spng_ctx *ctx = spng_ctx_new(SPNG_CTX_ENCODER);
	struct bytes bytes;
	int status;

	assert(ctx);
	spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
	spng_set_ihdr(ctx, &header);
	status = spng_encode_image(ctx, picture->pixels, (size_t)picture->width * picture->height * 3, SPNG_FMT_PNG,
				   SPNG_ENCODE_FINALIZE);
	assert(status == 0);
	bytes.data = spng_get_png_buffer(ctx, &bytes.size, &status);
	assert(bytes.data);
	spng_ctx_free(ctx);
	return bytes;
}

struct image picture_turned(const struct image *upright, int exif)
{
	bool swaps = exif >= 5;
	int width = swaps ? upright->height : upright->width;
	int height = swaps ? upright->width : upright->height;
	struct image stored = picture_new(width, height);
	struct orientation o = orientation_of(exif, width, height);

	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++)
			memcpy(stored.pixels + ((size_t)y * width + x) * 3,
			       upright->pixels + o.origin + x * o.step_x + y * o.step_y, 3);
	}
	return stored;
}

void picture_paste(struct image *to, const struct image *from, int x, int y)
{
	for (int row = 0; row < from->height; row++) {
		for (int column = 0; column < from->width; column++) {
			if (y + row < 0 || y + row >= to->height || x + column < 0 || x + column >= to->width)
				continue;
			memcpy(to->pixels + ((size_t)(y + row) * to->width + x + column) * 3,
			       from->pixels + ((size_t)row * from->width + column) * 3, 3);
		}
	}
}

struct image picture_cut(const struct image *from, int x, int y, int width, int height)
{
	struct image cut = picture_new(width, height);

	picture_paste(&cut, from, -x, -y);
	return cut;
}

struct image picture_scaled(const struct image *from, int width, int height)
{
	struct image scaled = picture_new(width, height);
	struct resizer resizer = {0};
	int rc = resize_area(&resizer, from->pixels, from->width, from->height, scaled.pixels, width, height);

	assert(rc == 0);
	resizer_finish(&resizer);
	return scaled;
}

int picture_largest_difference(const struct image *a, const struct image *b)
{
	int largest = 0;

	assert(a->width == b->width && a->height == b->height);
	for (size_t i = 0; i < (size_t)a->width * a->height * 3; i++) {
		int difference = abs(a->pixels[i] - b->pixels[i]);
		if (difference > largest)
			largest = difference;
	}
	return largest;
}

double picture_mean_difference(const struct image *a, const struct image *b)
{
	size_t count = (size_t)a->width * a->height * 3;
	double sum = 0;

	assert(a->width == b->width && a->height == b->height);
	for (size_t i = 0; i < count; i++)
		sum += abs(a->pixels[i] - b->pixels[i]);
	return sum / (double)count;
}

struct bytes picture_read_file(const char *path)
{
	char whole[4096];
	struct bytes bytes = {0};

	snprintf(whole, sizeof(whole), "%s/%s", SOURCE_ROOT, path);
	FILE *file = fopen(whole, "rb");
	if (!file) {
		perror(whole);
		abort();
	}
	fseek(file, 0, SEEK_END);
	bytes.size = (size_t)ftell(file);
	rewind(file);
	bytes.data = malloc(bytes.size);
	assert(bytes.data);
	size_t got = fread(bytes.data, 1, bytes.size, file);
	assert(got == bytes.size);
	fclose(file);
	return bytes;
}

struct image picture_decode(const struct bytes *bytes)
{
	struct image image = {0};
	struct error err = {0};

	if (image_decode(&image, bytes->data, bytes->size, &picture_limits, 0, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	return image;
}
