#include "face/jpeg_write.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

/* libjpeg ends the program on an error unless it is jumped out of. */
struct manager {
	struct jpeg_error_mgr base;
	jmp_buf out;
};

static void on_error(j_common_ptr cinfo)
{
	longjmp(((struct manager *)cinfo->err)->out, 1);
}

/* Apart from its caller, so that no variable of that one lives across setjmp(). */
static bool encode(const uint8_t *rgb, int width, int height, int quality, unsigned char **bytes, unsigned long *size)
{
	struct jpeg_compress_struct cinfo;
	struct manager manager;

	cinfo.err = jpeg_std_error(&manager.base);
	manager.base.error_exit = on_error;
	if (setjmp(manager.out)) {
		jpeg_destroy_compress(&cinfo);
		return false;
	}
	jpeg_create_compress(&cinfo);
	jpeg_mem_dest(&cinfo, bytes, size);
	cinfo.image_width = (JDIMENSION)width;
	cinfo.image_height = (JDIMENSION)height;
	cinfo.input_components = 3;
	cinfo.in_color_space = JCS_RGB;
	jpeg_set_defaults(&cinfo);
	jpeg_set_quality(&cinfo, quality, TRUE);
	/* With halved colour, thin coloured lines blur, and so does what an embedder sees. */
	cinfo.comp_info[0].h_samp_factor = 1;
	cinfo.comp_info[0].v_samp_factor = 1;
	jpeg_start_compress(&cinfo, TRUE);
	while (cinfo.next_scanline < cinfo.image_height) {
		JSAMPROW row = (JSAMPROW)(rgb + (size_t)cinfo.next_scanline * width * 3);
		jpeg_write_scanlines(&cinfo, &row, 1);
	}
	jpeg_finish_compress(&cinfo);
	jpeg_destroy_compress(&cinfo);
	return true;
}

int jpeg_write(const uint8_t *rgb, int width, int height, int quality, struct buffer *out, struct error *err)
{
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	int r = encode(rgb, width, height, quality, &bytes, &size) ? buffer_append(out, bytes, size) : -1;

	free(bytes);
	return r < 0 ? error_set(err, ERROR_INTERNAL, "no memory to write a JPEG") : 0;
}
