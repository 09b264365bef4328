#include "cli/output/picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/canvas.h"
#include "face/image_decode.h"
#include "face/resize.h"

#define PANE_WIDTH 1200
#define PANE_HEIGHT 800
/* Of a photograph that cannot be decoded. */
#define EMPTY_SIDE 250
#define MARGIN 16
#define LEAST_WIDTH 640
#define QUALITY 90
#define TITLE_SCALE 3
#define TEXT_SCALE 2
#define TITLE_HEIGHT (TITLE_SCALE * CANVAS_CHARACTER_HEIGHT)
#define TEXT_HEIGHT (TEXT_SCALE * CANVAS_CHARACTER_HEIGHT)

enum colours {
	PAPER = 0x16191d,
	PANE = 0x2a2f36,
	INK = 0xe8eaed,
	GOOD = 0x3ddc68,
	BAD = 0xff5a4d,
	LANDMARK = 0xffd23f
};

/* One photograph as it is shown. */
struct pane {
	struct image image; /* no pixels: it could not be decoded */
	double scale;       /* from full-size to shown pixels */
	int x;
	int y;
	int width;
	int height;
};

static int shrink(struct pane *pane, struct error *err)
{
	struct image *image = &pane->image;
	struct resizer resizer = {0};

	if (image->width == pane->width && image->height == pane->height)
		return 0;
	uint8_t *small = malloc((size_t)pane->width * pane->height * 3);
	int r =
	    small ? resize_area(&resizer, image->pixels, image->width, image->height, small, pane->width, pane->height)
		  : -1;
	resizer_finish(&resizer);
	if (r < 0) {
		free(small);
		return error_set(err, ERROR_INTERNAL, "no memory to shrink a photograph");
	}
	free(image->pixels);
	image->pixels = small;
	return 0;
}

static int load(struct pane *pane, const struct picture_photo *photo, const struct image_limits *limits,
		struct error *err)
{
	struct image *image = &pane->image;
	struct error why = {0};

	pane->width = pane->height = EMPTY_SIDE;
	if (image_decode(image, photo->data, photo->size, limits, PANE_WIDTH, &why) < 0) {
		image_finish(image);
		if (why.code != ERROR_INTERNAL)
			return 0;
		*err = why;
		return error_errno(err);
	}
	pane->scale = fmin(1, fmin((double)PANE_WIDTH / image->full_width, (double)PANE_HEIGHT / image->full_height));
	pane->width = (int)fmin(fmax(1, round(image->full_width * pane->scale)), image->width);
	pane->height = (int)fmin(fmax(1, round(image->full_height * pane->scale)), image->height);
	return shrink(pane, err);
}

/* A coordinate of the reply on the canvas; what is far outside or no number at all stays a harmless number. */
static int place(double value, double scale, int origin)
{
	double at = value * scale + origin;

	return isnan(at) ? -1 : (int)round(fmax(-100000, fmin(at, 100000)));
}

static void draw_face(struct canvas *canvas, const struct pane *pane, const struct reply_face *face,
		      canvas_colour colour)
{
	int left = place(face->box[0], pane->scale, pane->x);
	int top = place(face->box[1], pane->scale, pane->y);
	int right = place(face->box[0] + face->box[2], pane->scale, pane->x);
	int bottom = place(face->box[1] + face->box[3], pane->scale, pane->y);
	int radius = right - left > 160 ? 5 : right - left > 60 ? 3 : 2;

	canvas_outline(canvas, left, top, right - left, bottom - top, 3, colour);
	for (int i = 0; i < 5; i++)
		canvas_disc(canvas, place(face->landmarks[i][0], pane->scale, pane->x),
			    place(face->landmarks[i][1], pane->scale, pane->y), radius, LANDMARK);
}

static void draw_pane(struct canvas *canvas, const struct pane *pane, const char *name, const struct reply_face *face)
{
	char text[64];

	if (!pane->image.pixels) {
		canvas_fill(canvas, pane->x, pane->y, pane->width, pane->height, PANE);
		canvas_text(canvas, pane->x + MARGIN, pane->y + MARGIN, TEXT_SCALE, INK, "not decodable");
	} else {
		canvas_place(canvas, pane->x, pane->y, pane->image.pixels, pane->width, pane->height);
	}
	snprintf(text, sizeof(text), "%s", name);
	if (face->present && face->faces > 1)
		snprintf(text, sizeof(text), "%s: face %d of %d", name, face->index + 1, face->faces);
	canvas_text(canvas, pane->x, pane->y - TEXT_HEIGHT, TEXT_SCALE, INK, text);
}

/* Words from outside, in lines of at most `columns` characters. Returns the y below them. */
static int draw_words(struct canvas *canvas, int y, const char *words, int lines)
{
	size_t columns = (size_t)(canvas->width - 2 * MARGIN) / (TEXT_SCALE * CANVAS_CHARACTER_WIDTH);
	char line[sizeof(((struct error *)0)->text)];

	for (; *words && lines > 0; lines--, y += TEXT_HEIGHT) {
		size_t length = strlen(words);

		if (length > columns)
			for (length = columns; length > columns / 2 && words[length] != ' ';)
				length--;
		snprintf(line, sizeof(line), "%.*s", (int)length, words);
		canvas_text(canvas, MARGIN, y, TEXT_SCALE, INK, line);
		words += length;
		words += strspn(words, " ");
	}
	return y;
}

static void draw_verdict(struct canvas *canvas, int y, const struct reply *reply)
{
	const struct reply_result *result = &reply->result;
	char text[128];

	if (reply->state == TASK_SUCCEEDED && result->has_match) {
		canvas_text(canvas, MARGIN, y, TITLE_SCALE, result->matched ? GOOD : BAD,
			    result->matched ? "same person" : "not the same person");
		snprintf(text, sizeof(text), "similarity %.4f, threshold %.4f", result->similarity, result->threshold);
		draw_words(canvas, y + TITLE_HEIGHT, text, 1);
		return;
	}
	snprintf(text, sizeof(text), "failed: %s", error_code_name(reply->error.code));
	canvas_text(canvas, MARGIN, y, TITLE_SCALE, BAD, text);
	y += TITLE_HEIGHT;
	if (reply->error.image) {
		snprintf(text, sizeof(text), "because of photograph %c", reply->error.image);
		y = draw_words(canvas, y, text, 1);
	}
	draw_words(canvas, y, reply->error.text, 3);
}

static int draw(struct canvas *canvas, struct pane panes[2], const struct reply *reply, struct error *err)
{
	const struct reply_result *result = &reply->result;
	const struct reply_face *faces[2] = {&result->face_a, &result->face_b};
	bool failed = reply->state != TASK_SUCCEEDED;
	int tall = panes[0].height > panes[1].height ? panes[0].height : panes[1].height;
	int width = panes[0].width + panes[1].width + 3 * MARGIN;
	int verdict_y = MARGIN + TEXT_HEIGHT + tall + MARGIN;
	int height = verdict_y + TITLE_HEIGHT + (failed ? 4 : 1) * TEXT_HEIGHT + MARGIN;

	int r = canvas_init(canvas, width < LEAST_WIDTH ? LEAST_WIDTH : width, height, PAPER, err);
	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++) {
		panes[i].x = i == 0 ? MARGIN : 2 * MARGIN + panes[0].width;
		panes[i].y = MARGIN + TEXT_HEIGHT;
		draw_pane(canvas, &panes[i], i == 0 ? "A" : "B", faces[i]);
		if (result->present && faces[i]->present && panes[i].image.pixels)
			draw_face(canvas, &panes[i], faces[i], result->matched ? GOOD : BAD);
	}
	draw_verdict(canvas, verdict_y, reply);
	return 0;
}

int picture_draw(struct buffer *out, const struct picture_photo photos[2], const struct image_limits *limits,
		 const struct reply *reply, struct error *err)
{
	struct pane panes[2] = {0};
	struct canvas canvas = {0};
	int r = load(&panes[0], &photos[0], limits, err);

	if (r == 0)
		r = load(&panes[1], &photos[1], limits, err);
	if (r == 0)
		r = draw(&canvas, panes, reply, err);
	if (r == 0)
		r = canvas_encode(&canvas, QUALITY, out, err);
	canvas_finish(&canvas);
	image_finish(&panes[0].image);
	image_finish(&panes[1].image);
	return r;
}
