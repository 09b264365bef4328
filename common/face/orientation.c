#include "face/orientation.h"

#include <assert.h>

struct orientation orientation_of(int exif, int stored_width, int stored_height)
{
	assert(exif >= 1 && exif <= 8);

	/* Exif names where row 0 and column 0 of the stored picture lie in the upright one. */
	static const struct {
		bool swaps;
		bool mirror_x; /* in upright coordinates, after the swap */
		bool mirror_y;
	} turns[9] = {
	    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
	    [4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, true, false},
	    [7] = {true, true, true},    [8] = {true, false, true},
	};
	bool swaps = turns[exif].swaps;
	ptrdiff_t width = swaps ? stored_height : stored_width;
	ptrdiff_t height = swaps ? stored_width : stored_height;
	ptrdiff_t along = turns[exif].mirror_x ? -3 : 3;
	ptrdiff_t down = turns[exif].mirror_y ? -3 * width : 3 * width;
	struct orientation o = {
	    .swaps = swaps,
	    .step_x = swaps ? down : along,
	    .step_y = swaps ? along : down,
	};

	if (turns[exif].mirror_x)
		o.origin += 3 * (width - 1);
	if (turns[exif].mirror_y)
		o.origin += 3 * width * (height - 1);
	return o;
}

bool orientation_is_upright(const struct orientation *o)
{
	return !o->swaps && o->step_x > 0 && o->step_y > 0;
}

void orientation_put_row(const struct orientation *o, uint8_t *upright, const uint8_t *row, int y, int width)
{
	uint8_t *to = upright + o->origin + y * o->step_y;

	for (int x = 0; x < width; x++) {
		to[0] = row[0];
		to[1] = row[1];
		to[2] = row[2];
		to += o->step_x;
		row += 3;
	}
}
