#include "face/yunet.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/** One stride's outputs of one run: [rows × columns][1, 1, 4, 10]. */
struct level {
	int stride;
	int columns;
	int rows;
	const float *cls;
	const float *obj;
	const float *bbox;
	const float *kps;
};

static int find(const struct nn_model *model, const char *kind, int stride, unsigned *index, struct error *err)
{
	char name[32];

	snprintf(name, sizeof(name), "%s_%d", kind, stride);
	int found = nn_model_find_output(model, name);
	if (found < 0)
		return error_set(err, ERROR_MODEL, "the network has no output \"%s\", which the decoder yunet reads",
				 name);
	*index = (unsigned)found;
	return 0;
}

int yunet_find_outputs(const struct nn_model *model, const struct detector_spec *spec, struct yunet_outputs *out,
		       struct error *err)
{
	struct yunet_outputs found = {0};

	for (int i = 0; i < spec->stride_count; i++) {
		int stride = spec->strides[i];

		if (find(model, "cls", stride, &found.at[i].cls, err) ||
		    find(model, "obj", stride, &found.at[i].obj, err) ||
		    find(model, "bbox", stride, &found.at[i].bbox, err) ||
		    find(model, "kps", stride, &found.at[i].kps, err))
			return error_errno(err);
	}
	*out = found;
	return 0;
}

static int check(const struct nn_session *session, unsigned index, const char *kind, int stride, int64_t want,
		 struct error *err)
{
	struct nn_shape shape;

	nn_session_output(session, index, &shape);
	if (nn_shape_count(&shape) == want)
		return 0;
	return error_set(err, ERROR_MODEL, "output \"%s_%d\" has %lld values where the decoder yunet reads %lld", kind,
			 stride, (long long)nn_shape_count(&shape), (long long)want);
}

int yunet_check_outputs(const struct nn_session *session, const struct detector_spec *spec,
			const struct yunet_outputs *outputs, int width, int height, struct error *err)
{
	for (int i = 0; i < spec->stride_count; i++) {
		int stride = spec->strides[i];
		int64_t cells = (int64_t)(width / stride) * (height / stride);

		if (check(session, outputs->at[i].cls, "cls", stride, cells, err) ||
		    check(session, outputs->at[i].obj, "obj", stride, cells, err) ||
		    check(session, outputs->at[i].bbox, "bbox", stride, 4 * cells, err) ||
		    check(session, outputs->at[i].kps, "kps", stride, 2 * FACE_LANDMARKS * cells, err))
			return error_errno(err);
	}
	return 0;
}

int yunet_cells(const struct detector_spec *spec, int width, int height)
{
	int cells = 0;

	for (int i = 0; i < spec->stride_count; i++)
		cells += (width / spec->strides[i]) * (height / spec->strides[i]);
	return cells;
}

static float clamp01(float value)
{
	return fminf(fmaxf(value, 0.0f), 1.0f);
}

static bool is_sound(const struct face *face, float longest)
{
	bool sound = face->box[2] > 0 && face->box[3] > 0;

	for (int i = 0; i < 4; i++)
		sound = sound && fabsf(face->box[i]) <= longest;
	for (int i = 0; i < FACE_LANDMARKS; i++)
		sound = sound && fabsf(face->landmarks[i][0]) <= longest && fabsf(face->landmarks[i][1]) <= longest;
	return sound;
}

static struct face face_in_cell(const struct level *level, int row, int column, float score)
{
	int cell = row * level->columns + column;
	float stride = (float)level->stride;
	const float *bbox = level->bbox + 4 * cell;
	const float *kps = level->kps + 2 * FACE_LANDMARKS * cell;
	float width = expf(bbox[2]) * stride;
	float height = expf(bbox[3]) * stride;
	struct face face = {
	    .box = {((float)column + bbox[0]) * stride - width / 2, ((float)row + bbox[1]) * stride - height / 2, width,
		    height},
	    .score = score,
	};

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		face.landmarks[i][0] = ((float)column + kps[2 * i]) * stride;
		face.landmarks[i][1] = ((float)row + kps[2 * i + 1]) * stride;
	}
	return face;
}

static void decode_level(const struct level *level, float threshold, struct candidates *candidates)
{
	/* A box some frames long is noise, and would make nonsense of areas and overlaps. */
	float longest = 4.0f * (float)(level->stride * (level->columns > level->rows ? level->columns : level->rows));

	for (int row = 0; row < level->rows; row++) {
		for (int column = 0; column < level->columns; column++) {
			int cell = row * level->columns + column;
			float score = sqrtf(clamp01(level->cls[cell]) * clamp01(level->obj[cell]));

			if (!(score >= threshold) || candidates->count == candidates->capacity)
				continue;
			struct face face = face_in_cell(level, row, column, score);
			if (is_sound(&face, longest))
				candidates->items[candidates->count++] = face;
		}
	}
}

void yunet_decode(const struct nn_session *session, const struct detector_spec *spec,
		  const struct yunet_outputs *outputs, int width, int height, struct candidates *candidates)
{
	for (int i = 0; i < spec->stride_count; i++) {
		struct level level = {
		    .stride = spec->strides[i],
		    .columns = width / spec->strides[i],
		    .rows = height / spec->strides[i],
		    .cls = nn_session_output(session, outputs->at[i].cls, NULL),
		    .obj = nn_session_output(session, outputs->at[i].obj, NULL),
		    .bbox = nn_session_output(session, outputs->at[i].bbox, NULL),
		    .kps = nn_session_output(session, outputs->at[i].kps, NULL),
		};

		decode_level(&level, spec->score_threshold, candidates);
	}
}
