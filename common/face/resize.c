#include "face/resize.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct resize_span span_of(int target, int from, int to)
{
	double step = (double)from / to;
	double low = target * step;
	double high = target + 1 == to ? from : (target + 1) * step;
	struct resize_span s = {.first = (int)low, .last = (int)high};

	if (s.last >= from || high - s.last < 1e-6)
		s.last--;
	if (s.last < s.first)
		s.last = s.first;
	s.first_weight = (float)(s.first == s.last ? high - low : s.first + 1 - low);
	s.last_weight = (float)(high - s.last);
	return s;
}

/** sum += weight × row, or sum = weight × row for the first row. */
static void add_row(float *restrict sum, const uint8_t *restrict row, size_t count, float weight, bool first)
{
	if (first) {
		for (size_t i = 0; i < count; i++)
			sum[i] = weight * (float)row[i];
	} else {
		for (size_t i = 0; i < count; i++)
			sum[i] += weight * (float)row[i];
	}
}

/** The weighted sum of the source rows of one target row. */
static void sum_rows(float *sum, const uint8_t *from, size_t stride, const struct resize_span *rows)
{
	add_row(sum, from + (size_t)rows->first * stride, stride, rows->first_weight, true);
	for (int y = rows->first + 1; y < rows->last; y++)
		add_row(sum, from + (size_t)y * stride, stride, 1, false);
	if (rows->last > rows->first)
		add_row(sum, from + (size_t)rows->last * stride, stride, rows->last_weight, false);
}

static uint8_t to_byte(float value)
{
	return value < 254.5f ? (uint8_t)(value + 0.5f) : 255;
}

static void sum_columns(const float *sum, const struct resize_span *columns, float scale, uint8_t *to)
{
	const float *first = sum + 3 * columns->first;
	const float *last = sum + 3 * columns->last;
	float r = first[0] * columns->first_weight;
	float g = first[1] * columns->first_weight;
	float b = first[2] * columns->first_weight;

	for (const float *p = first + 3; p < last; p += 3) {
		r += p[0];
		g += p[1];
		b += p[2];
	}
	if (last > first) {
		r += last[0] * columns->last_weight;
		g += last[1] * columns->last_weight;
		b += last[2] * columns->last_weight;
	}
	to[0] = to_byte(r * scale);
	to[1] = to_byte(g * scale);
	to[2] = to_byte(b * scale);
}

static int reserve(struct resizer *resizer, size_t floats, size_t spans)
{
	if (floats > resizer->row_capacity) {
		float *row = realloc(resizer->row, floats * sizeof(*row));
		if (!row)
			return -ENOMEM;
		resizer->row = row;
		resizer->row_capacity = floats;
	}
	if (spans > resizer->span_capacity) {
		struct resize_span *more = realloc(resizer->spans, spans * sizeof(*more));
		if (!more)
			return -ENOMEM;
		resizer->spans = more;
		resizer->span_capacity = spans;
	}
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
	int rc = reserve(resizer, stride, to_width);
	if (rc)
		return rc;

	for (int x = 0; x < to_width; x++)
		resizer->spans[x] = span_of(x, from_width, to_width);
	for (int y = 0; y < to_height; y++) {
		struct resize_span rows = span_of(y, from_height, to_height);

		sum_rows(resizer->row, from, stride, &rows);
		for (int x = 0; x < to_width; x++, to += 3)
			sum_columns(resizer->row, &resizer->spans[x], scale, to);
	}
	return 0;
}

void resizer_finish(struct resizer *resizer)
{
	free(resizer->row);
	free(resizer->spans);
	*resizer = (struct resizer){0};
}
