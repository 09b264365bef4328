#include "nn/ops/window.h"

#include <string.h>

/** What is staged at a time; anything from 32 to 512 KiB measures alike, all of a large picture 5 % slower. */
#define BAND_BYTES (128 << 10)
/** Rows of a band for each one it shares with the next, at least. */
#define BAND_SHARE 4

static int check_list(const struct nn_node *node, const char *name, size_t count, int64_t low, struct error *err)
{
	const struct nn_attribute *list = nn_node_attribute(node, name);

	if (!list)
		return 0;
	if (list->count != count)
		return nn_node_fail(node, err, "%s has %zu numbers, %zu are supported", name, list->count, count);
	for (size_t i = 0; i < count; i++) {
		if (list->ints[i] < low || list->ints[i] > NN_MAX_WINDOW)
			return nn_node_fail(node, err, "%s has %lld, %lld to %d are supported", name,
					    (long long)list->ints[i], (long long)low, NN_MAX_WINDOW);
	}
	return 0;
}

static bool is_known_auto_pad(const char *mode)
{
	return strcmp(mode, "NOTSET") == 0 || strcmp(mode, "VALID") == 0 || strcmp(mode, "SAME_UPPER") == 0 ||
	       strcmp(mode, "SAME_LOWER") == 0;
}

int nn_window_check(const struct nn_node *node, struct error *err)
{
	int r = check_list(node, "kernel_shape", 2, 1, err);

	if (r == 0)
		r = check_list(node, "strides", 2, 1, err);
	if (r == 0)
		r = check_list(node, "dilations", 2, 1, err);
	if (r == 0)
		r = check_list(node, "pads", 4, 0, err);
	if (r == 0 && !is_known_auto_pad(nn_node_string(node, "auto_pad", "NOTSET")))
		r = nn_node_fail(node, err, "auto_pad has an unknown value");
	return r;
}

static int64_t list_item(const struct nn_node *node, const char *name, int index, int64_t fallback)
{
	const struct nn_attribute *list = nn_node_attribute(node, name);

	return list ? list->ints[index] : fallback;
}

/* Sets padding and output size of one axis. `free` is what the padded input has beyond one window. */
static int place(struct nn_window *w, const struct nn_node *node, int axis, struct error *err)
{
	const char *mode = nn_node_string(node, "auto_pad", "NOTSET");
	int64_t extent = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
	int64_t stride = w->stride[axis];

	if (strncmp(mode, "SAME", 4) == 0) {
		w->output[axis] = (w->input[axis] + stride - 1) / stride;
		int64_t total = (w->output[axis] - 1) * stride + extent - w->input[axis];
		total = total > 0 ? total : 0;
		w->before[axis] = strcmp(mode, "SAME_LOWER") == 0 ? (total + 1) / 2 : total / 2;
		w->after[axis] = total - w->before[axis];
		return 0;
	}
	if (strcmp(mode, "VALID") != 0) {
		w->before[axis] = list_item(node, "pads", axis, 0);
		w->after[axis] = list_item(node, "pads", axis + 2, 0);
	}
	int64_t free = w->input[axis] + w->before[axis] + w->after[axis] - extent;
	if (free < 0)
		return nn_node_fail(node, err, "the window (%lld) is larger than the padded input (%lld)",
				    (long long)extent, (long long)(free + extent));
	w->output[axis] = free / stride + 1;
	/* A last window that hangs over is kept, unless it would begin in the padding behind. */
	if (nn_node_int(node, "ceil_mode", 0) && free % stride != 0 &&
	    w->output[axis] * stride < w->input[axis] + w->before[axis])
		w->output[axis]++;
	return 0;
}

int nn_window_read(struct nn_window *window, const struct nn_node *node, const struct nn_shape *input,
		   const int64_t *kernel, struct error *err)
{
	struct nn_window w = {0};

	if (input->rank != 4)
		return nn_node_fail(node, err, "input has rank %d, only 4 is supported", input->rank);
	if (!kernel && !nn_node_attribute(node, "kernel_shape"))
		return nn_node_fail(node, err, "kernel_shape is missing");
	for (int axis = 0; axis < 2; axis++) {
		w.input[axis] = input->dim[2 + axis];
		w.kernel[axis] = kernel ? kernel[axis] : list_item(node, "kernel_shape", axis, 1);
		w.stride[axis] = list_item(node, "strides", axis, 1);
		w.dilation[axis] = list_item(node, "dilations", axis, 1);
		if (w.input[axis] < 1 || w.kernel[axis] < 1 || w.kernel[axis] > NN_MAX_WINDOW)
			return nn_node_fail(node, err, "empty input or impossible window");
		if (list_item(node, "kernel_shape", axis, w.kernel[axis]) != w.kernel[axis])
			return nn_node_fail(node, err, "kernel_shape differs from the weights");
		int r = place(&w, node, axis, err);
		if (r < 0)
			return r;
	}
	if (w.kernel[0] * w.kernel[1] > NN_MAX_TAPS)
		return nn_node_fail(node, err, "the window has more than %d taps", NN_MAX_TAPS);
	struct nn_staging staging = nn_staging_of(&w);
	struct nn_shape staged = {.rank = 3, .dim = {staging.planes, staging.rows, staging.pitch}};
	if (!nn_shape_valid(&staged))
		return nn_node_fail(node, err, "the window needs too much memory");
	*window = w;
	return 0;
}

struct nn_block_window nn_window_on_block(const struct nn_window *w)
{
	struct nn_block_window block = {0};

	for (int axis = 0; axis < 2; axis++) {
		block.input[axis] = w->input[axis];
		block.output[axis] = w->output[axis];
		block.kernel[axis] = w->kernel[axis];
		block.stride[axis] = w->stride[axis];
		block.dilation[axis] = w->dilation[axis];
		block.before[axis] = w->before[axis];
	}
	return block;
}

/* Taps of one axis, numbered, lie at this remainder modulo the stride and this far into its plane. */
static int64_t phase_of(const struct nn_window *w, int axis, int64_t tap)
{
	return tap * w->dilation[axis] % w->stride[axis];
}

static int64_t shift_of(const struct nn_window *w, int axis, int64_t tap)
{
	return tap * w->dilation[axis] / w->stride[axis];
}

/* Remainders that occur are numbered by their first tap: they repeat after `phases` taps. */
static int64_t phases(const struct nn_window *w, int axis)
{
	int64_t count = 1;

	while (count < w->kernel[axis] && phase_of(w, axis, count) != 0)
		count++;
	return count;
}

struct nn_staging nn_staging_of(const struct nn_window *w)
{
	return (struct nn_staging){
	    .height = w->output[0],
	    .width = w->output[1],
	    .band = w->output[0],
	    .rows = w->output[0] + shift_of(w, 0, w->kernel[0] - 1),
	    .pitch = w->output[1] + shift_of(w, 1, w->kernel[1] - 1),
	    .planes = phases(w, 0) * phases(w, 1),
	    .taps = w->kernel[0] * w->kernel[1],
	};
}

void nn_staging_skip(struct nn_staging *s, const struct nn_window *w)
{
	bool is_padded = w->before[0] + w->after[0] + w->before[1] + w->after[1] > 0;
	bool is_whole = w->kernel[0] == w->input[0] && w->kernel[1] == w->input[1];

	if (w->stride[0] != 1 || w->stride[1] != 1 || is_padded || (s->taps != 1 && !is_whole))
		return;
	s->is_direct = true;
	if (s->taps == 1) {
		s->width = s->pitch = w->output[0] * w->output[1];
		s->height = s->band = s->rows = 1;
	}
}

void nn_staging_align(struct nn_staging *s, int64_t lanes)
{
	if (!s->is_direct)
		s->pitch = (s->pitch + lanes - 1) / lanes * lanes;
}

void nn_staging_cut(struct nn_staging *s, int64_t channels, int64_t lanes)
{
	int64_t beyond = s->rows - s->band; /* what a window sees below the row of its output */
	int64_t row = channels * s->planes * s->pitch * lanes * (int64_t)sizeof(float);
	int64_t band = BAND_BYTES / row - beyond;

	/* Rows that two bands share are copied twice. */
	if (band < BAND_SHARE * beyond)
		band = BAND_SHARE * beyond;
	if (s->is_direct || band < 1 || band >= s->band)
		return;
	int64_t bands = (s->height + band - 1) / band;
	s->band = (s->height + bands - 1) / bands;
	s->rows = s->band + beyond;
}

int64_t nn_staging_channel(const struct nn_staging *staging)
{
	return staging->planes * staging->rows * staging->pitch;
}

size_t nn_staging_tables_size(const struct nn_staging *s)
{
	return (size_t)s->taps * sizeof(*s->offsets) + (size_t)s->planes * sizeof(*s->parts);
}

static void fill_offsets(const struct nn_staging *s, const struct nn_window *w)
{
	int64_t down = phases(w, 0);
	int64_t across = phases(w, 1);
	int64_t *offset = s->offsets;

	for (int64_t y = 0; y < w->kernel[0]; y++) {
		for (int64_t x = 0; x < w->kernel[1]; x++) {
			int64_t plane = y % down * across + x % across;

			*offset++ = (plane * s->rows + shift_of(w, 0, y)) * s->pitch + shift_of(w, 1, x);
		}
	}
}

/* Where along one axis a plane lies in the input: its positions begin … end - 1, the first of them at input `from`. */
struct overlap {
	int64_t begin;
	int64_t end;
	int64_t from;
};

static struct overlap overlap_of(const struct nn_window *w, int axis, int64_t tap, int64_t length)
{
	int64_t stride = w->stride[axis];
	int64_t first = phase_of(w, axis, tap) - w->before[axis];
	int64_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
	int64_t end = first < w->input[axis] ? (w->input[axis] - first + stride - 1) / stride : 0;

	begin = begin < length ? begin : length;
	end = end < begin ? begin : end < length ? end : length;
	return (struct overlap){begin, end, first + begin * stride};
}

static void fill_parts(const struct nn_staging *s, const struct nn_window *w)
{
	int64_t across = phases(w, 1);

	for (int64_t plane = 0; plane < s->planes; plane++) {
		struct overlap rows = overlap_of(w, 0, plane / across, s->height + s->rows - s->band);
		struct overlap columns = overlap_of(w, 1, plane % across, s->pitch);
		bool is_empty = columns.end == columns.begin;

		s->parts[plane] = (struct nn_part){
		    .rows = is_empty ? 0 : rows.end - rows.begin,
		    .columns = columns.end - columns.begin,
		    .stride = w->stride[1],
		    .from = rows.from * w->input[1] + columns.from,
		    .from_pitch = w->stride[0] * w->input[1],
		    .to = rows.begin * s->pitch + columns.begin,
		    .to_pitch = s->pitch,
		};
	}
}

void nn_staging_tables(struct nn_staging *s, const struct nn_window *w, void *memory)
{
	s->offsets = memory;
	s->parts = (struct nn_part *)(s->offsets + s->taps);
	fill_offsets(s, w);
	fill_parts(s, w);
}

static void fill_row(float *at, int64_t begin, int64_t end, float fill)
{
	for (int64_t i = begin; i < end; i++)
		at[i] = fill;
}

void nn_staging_frame(const struct nn_staging *s, int64_t lanes, float *planes)
{
	for (int64_t y = 0; y < s->planes * s->rows; y++) {
		const struct nn_part *part = &s->parts[y / s->rows];
		int64_t left = part->to % s->pitch;

		fill_row(planes, y * s->pitch * lanes, (y * s->pitch + left) * lanes, s->fill);
		fill_row(planes, (y * s->pitch + left + part->columns) * lanes, (y + 1) * s->pitch * lanes, s->fill);
	}
}

static int64_t within(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

void nn_staging_copy(const struct nn_kernels *kernels, const struct nn_staging *s, int64_t lanes, int64_t y,
		     const float *channel, float *planes)
{
	for (int64_t plane = 0; plane < s->planes; plane++) {
		struct nn_part part = s->parts[plane];
		int64_t first = part.to / s->pitch;
		int64_t begin = within(first - y, 0, s->rows);
		int64_t end = within(first + part.rows - y, begin, s->rows);
		int64_t top = plane * s->rows;

		part.from += (y + begin - first) * part.from_pitch;
		part.to = (top + begin) * s->pitch + part.to % s->pitch;
		part.rows = end - begin;
		fill_row(planes, top * s->pitch * lanes, (top + begin) * s->pitch * lanes, s->fill);
		(lanes == 1 ? kernels->copy : kernels->copy_blocks)(&part, 1, channel, planes);
		fill_row(planes, (top + end) * s->pitch * lanes, (top + s->rows) * s->pitch * lanes, s->fill);
	}
}
