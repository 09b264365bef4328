#ifndef UNIT_FACE_PICTURE_H
#define UNIT_FACE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "face/image.h"

/* Pictures for the tests, made at run time from memory or from tests/data/people. Failures abort. */

/** Encoded bytes on the heap. */
struct bytes {
	uint8_t *data;
	size_t size;
};

void bytes_free(struct bytes *bytes);

enum jpeg_colours { COLOURS_YCC, COLOURS_GREY, COLOURS_RGB, COLOURS_CMYK, COLOURS_CMYK_PLAIN, COLOURS_YCCK };

/** How picture_jpeg() encodes; zero-initialised: YCbCr, quality 90, baseline, no Exif. */
struct jpeg_style {
	enum jpeg_colours colours;
	int quality;
	bool progressive;
	bool many_scans;  /**< progressive, with a scan for every coefficient */
	int exif;         /**< orientation; 0: no Exif block */
	bool exif_little; /**< byte order "II" */
};

/** A picture with `pixels` of its own, width × height, black. */
struct image picture_new(int width, int height);

/** A smooth picture whose four corners differ, so that every turn of it is another picture. */
struct image picture_gradient(int width, int height);

struct bytes picture_jpeg(const struct image *picture, const struct jpeg_style *style);

/** 8-bit RGB. */
struct bytes picture_png(const struct image *picture);

/** The picture as a camera stores it that then writes Exif orientation `exif`: turned, so that decoding turns it back.
 */
struct image picture_turned(const struct image *upright, int exif);

/** Copies `from` into `to` with its corner at (x, y); what does not fit is cut. */
void picture_paste(struct image *to, const struct image *from, int x, int y);

/** The rectangle of a picture. */
struct image picture_cut(const struct image *from, int x, int y, int width, int height);

/** The picture at another size. */
struct image picture_scaled(const struct image *from, int width, int height);

/** Largest and mean difference of two pictures of one size. */
int picture_largest_difference(const struct image *a, const struct image *b);
double picture_mean_difference(const struct image *a, const struct image *b);

/** A whole file, by its path from the root of the source tree. */
struct bytes picture_read_file(const char *path);

/** Decodes at full size; aborts on refusal. */
struct image picture_decode(const struct bytes *bytes);

/** Limits that no test picture reaches. */
extern const struct image_limits picture_limits;

#endif
