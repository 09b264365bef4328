#include "face/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "face/exif.h"
#include "face/orientation.h"

/** More scans than any encoder writes: each costs a pass over the whole picture. */
#define MAX_SCANS 100
#define EXIF_HEADER "Exif\0"
#define EXIF_HEADER_SIZE 6

/** One decoding. libjpeg reports through callbacks that find it in client_data and jump back. */
struct jpeg_reader {
	struct jpeg_decompress_struct cinfo;
	struct jpeg_error_mgr manager;
	struct jpeg_progress_mgr progress;
	jmp_buf back;
	struct error *err;
	int rc;
};

bool jpeg_matches(const uint8_t *data, size_t size)
{
	return memcmp(data, "\xff\xd8\xff", size < 3 ? size : 3) == 0;
}

static _Noreturn void leave(struct jpeg_reader *reader, int rc)
{
	reader->rc = rc;
	longjmp(reader->back, 1);
}

static _Noreturn void on_error(j_common_ptr cinfo)
{
	struct jpeg_reader *reader = cinfo->client_data;
	char text[JMSG_LENGTH_MAX];
	enum error_code code;

	switch (cinfo->err->msg_code) {
	case JERR_OUT_OF_MEMORY:
		code = ERROR_INTERNAL;
		break;
	case JERR_SOF_UNSUPPORTED:
	case JERR_BAD_PRECISION:
	case JERR_ARITH_NOTIMPL:
	case JERR_CONVERSION_NOTIMPL:
		code = ERROR_IMAGE_UNSUPPORTED;
		break;
	case JERR_IMAGE_TOO_BIG:
		code = ERROR_IMAGE_TOO_LARGE;
		break;
	default:
		code = ERROR_IMAGE_CORRUPT;
	}
	cinfo->err->format_message(cinfo, text);
	leave(reader, error_set(reader->err, code, "JPEG: %s", text));
}

/* libjpeg calls a truncated or damaged file a warning and paints the rest grey. */
static void on_message(j_common_ptr cinfo, int level)
{
	if (level >= 0)
		return;
	switch (cinfo->err->msg_code) {
	case JWRN_EXTRANEOUS_DATA: /* stray bytes between segments: cameras write them */
	case JWRN_JFIF_MAJOR:      /* says nothing about the pixels */
		return;
	default:
		on_error(cinfo);
	}
}

static void on_progress(j_common_ptr cinfo)
{
	struct jpeg_reader *reader = cinfo->client_data;
	int scan = reader->cinfo.input_scan_number;

	if (scan > MAX_SCANS)
		leave(reader, error_set_limit(reader->err, ERROR_IMAGE_TOO_LARGE, "scans", scan, MAX_SCANS,
					      "the JPEG has more than %d scans", MAX_SCANS));
}

static int saved_orientation(const struct jpeg_decompress_struct *cinfo)
{
	for (const struct jpeg_marker_struct *m = cinfo->marker_list; m; m = m->next) {
		if (m->data_length > EXIF_HEADER_SIZE && memcmp(m->data, EXIF_HEADER, EXIF_HEADER_SIZE) == 0)
			return exif_orientation(m->data + EXIF_HEADER_SIZE, m->data_length - EXIF_HEADER_SIZE);
	}
	return 1;
}

/**
 * The fewest eighths of the full size that keep the long side ≥ enough. Only powers of two: the other
 * transforms have no SIMD in libjpeg-turbo, and 7/8 takes twice as long as the whole.
 */
static unsigned eighths_for(unsigned width, unsigned height, int enough)
{
	unsigned side = width > height ? width : height;
	unsigned eighths = 1;

	if (enough <= 0)
		return 8;
	while (eighths < 8 && (uint64_t)side * eighths < (uint64_t)enough * 8)
		eighths *= 2;
	return eighths;
}

/* Adobe's programs store CMYK inverted: 255 is no ink. libjpeg leaves that as it is. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, unsigned width, bool inverted)
{
	uint8_t flip = inverted ? 0 : 255;

	for (unsigned x = 0; x < width; x++) {
		unsigned white = cmyk[3] ^ flip;

		for (int c = 0; c < 3; c++)
			rgb[c] = (uint8_t)(((cmyk[c] ^ flip) * white + 127) / 255);
		cmyk += 4;
		rgb += 3;
	}
}

static void read_rows(struct jpeg_reader *reader, struct image *image, const struct orientation *o)
{
	struct jpeg_decompress_struct *cinfo = &reader->cinfo;
	j_common_ptr common = (j_common_ptr)cinfo;
	unsigned width = cinfo->output_width;
	bool cmyk = cinfo->out_color_space == JCS_CMYK;
	JSAMPARRAY row = cinfo->mem->alloc_sarray(common, JPOOL_IMAGE, width * 4, 1);
	JSAMPARRAY rgb = cmyk ? cinfo->mem->alloc_sarray(common, JPOOL_IMAGE, width * 3, 1) : row;
	bool direct = !cmyk && orientation_is_upright(o);

	while (cinfo->output_scanline < cinfo->output_height) {
		int y = (int)cinfo->output_scanline;
		JSAMPROW into = direct ? image->pixels + (size_t)y * width * 3 : row[0];

		jpeg_read_scanlines(cinfo, &into, 1);
		if (cmyk)
			cmyk_to_rgb(row[0], rgb[0], width, cinfo->saw_Adobe_marker);
		if (!direct)
			orientation_put_row(o, image->pixels, rgb[0], y, (int)width);
	}
}

/* Runs between setjmp() and jpeg_destroy_decompress(): owns nothing that a jump could leak. */
static int decode(struct jpeg_reader *reader, struct image *image, const struct image_limits *limits, int enough)
{
	struct jpeg_decompress_struct *cinfo = &reader->cinfo;
	int rc;

	jpeg_read_header(cinfo, TRUE);
	rc = image_check_size(cinfo->image_width, cinfo->image_height, limits, reader->err);
	if (rc)
		return rc;
	if (cinfo->jpeg_color_space == JCS_UNKNOWN)
		return error_set(reader->err, ERROR_IMAGE_UNSUPPORTED, "the JPEG has %d colour components",
				 cinfo->num_components);

	bool inks = cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK;
	cinfo->out_color_space = inks ? JCS_CMYK : JCS_RGB;
	cinfo->scale_num = eighths_for(cinfo->image_width, cinfo->image_height, enough);
	cinfo->scale_denom = 8;
	jpeg_calc_output_dimensions(cinfo);
	rc = image_reserve(image, (size_t)cinfo->output_width * cinfo->output_height * 3, reader->err);
	if (rc)
		return rc;

	struct orientation o =
	    orientation_of(saved_orientation(cinfo), (int)cinfo->output_width, (int)cinfo->output_height);
	jpeg_start_decompress(cinfo);
	read_rows(reader, image, &o);
	jpeg_finish_decompress(cinfo);

	image->width = (int)(o.swaps ? cinfo->output_height : cinfo->output_width);
	image->height = (int)(o.swaps ? cinfo->output_width : cinfo->output_height);
	image->full_width = (int)(o.swaps ? cinfo->image_height : cinfo->image_width);
	image->full_height = (int)(o.swaps ? cinfo->image_width : cinfo->image_height);
	return 0;
}

/* Apart from its caller, because locals of the function that calls setjmp() do not survive the jump. */
static int decode_guarded(struct jpeg_reader *reader, struct image *image, const uint8_t *data, size_t size,
			  const struct image_limits *limits, int enough)
{
	if (setjmp(reader->back))
		return reader->rc;
	jpeg_create_decompress(&reader->cinfo);
	reader->cinfo.progress = &reader->progress;
	jpeg_mem_src(&reader->cinfo, data, size);
	jpeg_save_markers(&reader->cinfo, JPEG_APP0 + 1, 0xffff);
	return decode(reader, image, limits, enough);
}

int jpeg_decode(struct image *image, const uint8_t *data, size_t size, const struct image_limits *limits, int enough,
		struct error *err)
{
	struct jpeg_reader reader = {.err = err};

	reader.cinfo.err = jpeg_std_error(&reader.manager);
	reader.cinfo.client_data = &reader;
	reader.manager.error_exit = on_error;
	reader.manager.emit_message = on_message;
	reader.progress.progress_monitor = on_progress;

	int rc = decode_guarded(&reader, image, data, size, limits, enough);
	jpeg_destroy_decompress(&reader.cinfo);
	return rc;
}
