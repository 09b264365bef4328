#include "face/normalise.h"

static float *fill(float *to, int count, float value)
{
	for (int i = 0; i < count; i++)
		to[i] = value;
	return to + count;
}

void normalise_frame(const struct normalisation *norm, const uint8_t *rgb, const struct placement *at, float *planes,
		     int frame_width, int frame_height)
{
	for (int channel = 0; channel < 3; channel++) {
		const uint8_t *from = rgb + (norm->bgr ? 2 - channel : channel);
		float factor = 1.0f / norm->scale[channel];
		float black = -norm->mean[channel] * factor;
		float *to = planes;

		to = fill(to, at->top * frame_width, black);
		for (int y = 0; y < at->height; y++) {
			to = fill(to, at->left, black);
			for (int x = 0; x < at->width; x++)
				to[x] = ((float)from[3 * x] - norm->mean[channel]) * factor;
			to = fill(to + at->width, frame_width - at->left - at->width, black);
			from += 3 * at->width;
		}
		fill(to, (frame_height - at->top - at->height) * frame_width, black);
		planes += frame_width * frame_height;
	}
}
