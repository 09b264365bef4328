#include "face/quality.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "face/align.h"

#define DEGREES (180 / 3.14159265358979323846)
/* How far the tip of a nose stands before the eyes, in distances between the eyes. */
#define NOSE_LENGTH 0.6

static double grey(const uint8_t *crop, int x, int y)
{
	const uint8_t *pixel = crop + ((size_t)y * ALIGN_SIDE + x) * 3;

	return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

static double variance_of_laplacian(const uint8_t *crop)
{
	double count = (ALIGN_SIDE - 2) * (ALIGN_SIDE - 2);
	double sum = 0;
	double square = 0;

	for (int y = 1; y < ALIGN_SIDE - 1; y++) {
		for (int x = 1; x < ALIGN_SIDE - 1; x++) {
			double value = grey(crop, x - 1, y) + grey(crop, x + 1, y) + grey(crop, x, y - 1) +
				       grey(crop, x, y + 1) - 4 * grey(crop, x, y);

			sum += value;
			square += value * value;
		}
	}
	return square / count - (sum / count) * (sum / count);
}

void quality_measure(const float landmarks[FACE_LANDMARKS][2], const uint8_t *crop, struct face_quality *out)
{
	double dx = (double)landmarks[1][0] - landmarks[0][0];
	double dy = (double)landmarks[1][1] - landmarks[0][1];
	double distance = hypot(dx, dy);
	double nose_x = landmarks[2][0] - (landmarks[0][0] + landmarks[1][0]) / 2.0;
	double nose_y = landmarks[2][1] - (landmarks[0][1] + landmarks[1][1]) / 2.0;
	double aside = distance > 0 ? (nose_x * dx + nose_y * dy) / (distance * distance) : 0;

	out->eye_distance = distance;
	out->sharpness = variance_of_laplacian(crop);
	out->yaw = fabs(atan(aside / NOSE_LENGTH)) * DEGREES;
	out->roll = fabs(atan2(dy, dx)) * DEGREES;
}

struct rule {
	const char *measure;
	const char *unit;
	double value;
	double limit;
	bool is_least; /* otherwise the most there may be */
};

int quality_check(const struct face_quality *q, const struct quality_limits *limits, struct error *err)
{
	const struct rule rules[] = {
	    {"eye_distance", " pixels", q->eye_distance, limits->min_eye_distance, true},
	    {"sharpness", "", q->sharpness, limits->min_sharpness, true},
	    {"yaw", " degrees", q->yaw, limits->max_yaw, false},
	    {"roll", " degrees", q->roll, limits->max_roll, false},
	};

	for (size_t i = 0; i < array_size(rules); i++) {
		const struct rule *rule = &rules[i];

		/* Written so that a measure that is no number is refused too. */
		if (rule->limit > 0 && !(rule->is_least ? rule->value >= rule->limit : rule->value <= rule->limit))
			return error_set_limit(
			    err, ERROR_LOW_QUALITY, rule->measure, rule->value, rule->limit,
			    "the face is not good enough to enrol: its %s is %.1f%s, at %s %.1f is wanted",
			    rule->measure, rule->value, rule->unit, rule->is_least ? "least" : "most", rule->limit);
	}
	return 0;
}
