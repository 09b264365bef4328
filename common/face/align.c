#include "face/align.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double template_points[FACE_LANDMARKS][2] = {
    {38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041},
};

/** Pixels to sample from, and the affine map from the crop's pixels to them (centres at integers). */
struct source {
	const uint8_t *pixels;
	int width;
	int height;
	double xx, xy, x0;
	double yx, yy, y0;
};

double similarity_scale(const struct similarity *s)
{
	return sqrt(s->a * s->a + s->b * s->b);
}

int align_estimate(const float landmarks[FACE_LANDMARKS][2], struct similarity *out)
{
	double from[2] = {0};
	double to[2] = {0};
	double spread = 0;
	double along = 0;
	double across = 0;

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		for (int c = 0; c < 2; c++) {
			from[c] += landmarks[i][c] / FACE_LANDMARKS;
			to[c] += template_points[i][c] / FACE_LANDMARKS;
		}
	}
	for (int i = 0; i < FACE_LANDMARKS; i++) {
		double x = landmarks[i][0] - from[0];
		double y = landmarks[i][1] - from[1];
		double u = template_points[i][0] - to[0];
		double v = template_points[i][1] - to[1];

		spread += x * x + y * y;
		along += x * u + y * v;
		across += x * v - y * u;
	}
	if (!(spread > 1e-3) || !(along * along + across * across > 1e-3))
		return -EINVAL;

	double a = along / spread;
	double b = across / spread;
	*out = (struct similarity){a, b, to[0] - (a * from[0] - b * from[1]), to[1] - (b * from[0] + a * from[1])};
	return 0;
}

void align_fit(struct similarity *s, int width, int height)
{
	double scale = (double)height / ALIGN_SIDE;

	s->a *= scale;
	s->b *= scale;
	s->tx = s->tx * scale + (width - ALIGN_SIDE * scale) / 2;
	s->ty *= scale;
}

/** The map from the crop's pixels to the decoded pixels of `image`, which may be smaller than full size. */
static struct source source_of(const struct image *image, const struct similarity *s)
{
	double square = s->a * s->a + s->b * s->b;
	double a = s->a / square;
	double b = s->b / square;
	double rx = (double)image->width / image->full_width;
	double ry = (double)image->height / image->full_height;

	/* Full-size pixel x covers [x, x + 1), so its centre x + ½ is what scales. */
	return (struct source){
	    .pixels = image->pixels,
	    .width = image->width,
	    .height = image->height,
	    .xx = rx * a,
	    .xy = rx * b,
	    .x0 = rx * (0.5 - a * s->tx - b * s->ty) - 0.5,
	    .yx = ry * -b,
	    .yy = ry * a,
	    .y0 = ry * (0.5 + b * s->tx - a * s->ty) - 0.5,
	};
}

/** The low and high end of c0 + cx + cy over the crop, cut to 0 … size, in whole blocks. */
static void blocks_of(double c0, double cx, double cy, int size, int block, int *first, int *count)
{
	double low = c0 + fmin(0, cx) + fmin(0, cy) - 1;
	double high = c0 + fmax(0, cx) + fmax(0, cy) + 2;
	int blocks = (size + block - 1) / block;

	*first = (int)fmin(fmax(floor(low / block) - 1, 0), blocks);
	*count = (int)fmin(fmax(ceil(high / block) + 1, 0), blocks) - *first;
}

/* What lies outside the picture is black, and counts. */
static void mean_block(const struct source *s, int x, int y, int block, uint8_t *to)
{
	int right = x + block < s->width ? x + block : s->width;
	int bottom = y + block < s->height ? y + block : s->height;
	uint64_t sum[3] = {0};
	uint64_t area = (uint64_t)block * (uint64_t)block;

	for (int row = y; row < bottom; row++) {
		const uint8_t *p = s->pixels + ((size_t)row * s->width + x) * 3;

		for (int column = x; column < right; column++, p += 3) {
			for (int c = 0; c < 3; c++)
				sum[c] += p[c];
		}
	}
	for (int c = 0; c < 3; c++)
		to[c] = (uint8_t)((sum[c] + area / 2) / area);
}

/** Replaces the source by the means of block × block pixels around the face. */
static int reduce(struct aligner *aligner, struct source *s, int width, int height, int block)
{
	int left, top, columns, rows;

	blocks_of(s->x0, s->xx * (width - 1), s->xy * (height - 1), s->width, block, &left, &columns);
	blocks_of(s->y0, s->yx * (width - 1), s->yy * (height - 1), s->height, block, &top, &rows);

	size_t bytes = (size_t)columns * rows * 3;
	if (bytes > aligner->capacity) {
		free(aligner->reduced);
		aligner->capacity = 0;
		aligner->reduced = malloc(bytes);
		if (!aligner->reduced)
			return -ENOMEM;
		aligner->capacity = bytes;
	}
	for (int y = 0; y < rows; y++) {
		for (int x = 0; x < columns; x++)
			mean_block(s, (left + x) * block, (top + y) * block, block,
				   aligner->reduced + ((size_t)y * columns + x) * 3);
	}

	/* The centre of block k lies at pixel k·block + (block − 1) / 2. */
	double middle = (block - 1) / 2.0;
	*s = (struct source){
	    .pixels = aligner->reduced,
	    .width = columns,
	    .height = rows,
	    .xx = s->xx / block,
	    .xy = s->xy / block,
	    .x0 = (s->x0 - middle) / block - left,
	    .yx = s->yx / block,
	    .yy = s->yy / block,
	    .y0 = (s->y0 - middle) / block - top,
	};
	return 0;
}

static const uint8_t *pixel_at(const struct source *s, int x, int y)
{
	static const uint8_t black[3];

	if (x < 0 || y < 0 || x >= s->width || y >= s->height)
		return black;
	return s->pixels + ((size_t)y * s->width + x) * 3;
}

static void sample(const struct source *s, double x, double y, uint8_t *to)
{
	if (!(x > -1 && y > -1 && x < s->width && y < s->height)) {
		memset(to, 0, 3);
		return;
	}

	int column = (int)floor(x);
	int row = (int)floor(y);
	float fx = (float)(x - column);
	float fy = (float)(y - row);
	const uint8_t *p00 = pixel_at(s, column, row);
	const uint8_t *p01 = pixel_at(s, column + 1, row);
	const uint8_t *p10 = pixel_at(s, column, row + 1);
	const uint8_t *p11 = pixel_at(s, column + 1, row + 1);

	for (int c = 0; c < 3; c++) {
		float upper = p00[c] + fx * (float)(p01[c] - p00[c]);
		float lower = p10[c] + fx * (float)(p11[c] - p10[c]);

		to[c] = (uint8_t)(upper + fy * (lower - upper) + 0.5f);
	}
}

int align_warp(struct aligner *aligner, const struct image *image, const struct similarity *to_crop, int width,
	       int height, uint8_t *crop)
{
	struct source s = source_of(image, to_crop);
	double shrink = hypot(s.xx, s.yx);

	if (shrink > 2) {
		int rc = reduce(aligner, &s, width, height, (int)fmin(shrink, INT16_MAX));
		if (rc)
			return rc;
	}
	for (int y = 0; y < height; y++) {
		for (int x = 0; x < width; x++, crop += 3)
			sample(&s, s.x0 + s.xx * x + s.xy * y, s.y0 + s.yx * x + s.yy * y, crop);
	}
	return 0;
}

void aligner_finish(struct aligner *aligner)
{
	free(aligner->reduced);
	*aligner = (struct aligner){0};
}
