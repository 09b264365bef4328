#include "face/resize.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** The run of source samples that one target sample covers: first, last (inclusive), weights of both ends. */
struct span {
	int first;
	int last;
	float first_weight;
	float last_weight; /**< unused when first == last */
};

static struct span span_of(int target, int from, int to)
{
	double step = (double)from / to;
	double low = target * step;
	double high = target + 1 == to ? from : (target + 1) * step;
	struct span s = {.first = (int)low, .last = (int)high};

	if (s.last >= from || high - s.last < 1e-6)
		s.last--;
	if (s.last < s.first)
		s.last = s.first;
	s.first_weight = (float)(s.first == s.last ? high - low : s.first + 1 - low);
	s.last_weight = (float)(high - s.last);
	return s;
}

static float weight_at(const struct span *s, int i)
{
	if (i == s->first)
		return s->first_weight;
	return i == s->last ? s->last_weight : 1.0f;
}

/** The weighted sum of the source rows of one target row. */
static void sum_rows(float *sum, const uint8_t *from, size_t stride, const struct span *rows)
{
	for (int y = rows->first; y <= rows->last; y++) {
		const uint8_t *row = from + (size_t)y * stride;
		float weight = weight_at(rows, y);

		if (y == rows->first) {
			for (size_t i = 0; i < stride; i++)
				sum[i] = weight * row[i];
		} else {
			for (size_t i = 0; i < stride; i++)
				sum[i] += weight * row[i];
		}
	}
}

static void sum_columns(const float *sum, const struct span *columns, float scale, uint8_t *to)
{
	float total[3] = {0};

	for (int x = columns->first; x <= columns->last; x++) {
		float weight = weight_at(columns, x);

		for (int c = 0; c < 3; c++)
			total[c] += weight * sum[3 * x + c];
	}
	for (int c = 0; c < 3; c++) {
		float value = total[c] * scale + 0.5f;

		to[c] = value < 255.0f ? (uint8_t)value : 255;
	}
}

static int reserve(struct resizer *resizer, size_t count)
{
	if (count <= resizer->capacity)
		return 0;
	float *row = realloc(resizer->row, count * sizeof(*row));
	if (!row)
		return -ENOMEM;
	resizer->row = row;
	resizer->capacity = count;
	return 0;
}

int resize_area(struct resizer *resizer, const uint8_t *from, int from_width, int from_height, uint8_t *to,
		int to_width, int to_height)
{
	size_t stride = (size_t)from_width * 3;
	float scale = (float)((double)to_width / from_width * to_height / from_height);

	if (from_width == to_width && from_height == to_height) {
		memcpy(to, from, stride * from_height);
		return 0;
	}
	int rc = reserve(resizer, stride);
	if (rc)
		return rc;

	for (int y = 0; y < to_height; y++) {
		struct span rows = span_of(y, from_height, to_height);

		sum_rows(resizer->row, from, stride, &rows);
		for (int x = 0; x < to_width; x++) {
			struct span columns = span_of(x, from_width, to_width);

			sum_columns(resizer->row, &columns, scale, to);
			to += 3;
		}
	}
	return 0;
}

void resizer_finish(struct resizer *resizer)
{
	free(resizer->row);
	*resizer = (struct resizer){0};
}
