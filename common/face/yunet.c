/* YuNet (Wu and others, 2023): for each stride S the outputs cls_S, obj_S, bbox_S and kps_S, one anchor a cell. */
#include <math.h>
#include <stdio.h>

#include "face/decoder.h"

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

static int find_outputs(const struct nn_model *model, const struct detector_spec *spec, struct decoder_outputs *out,
			struct error *err)
{
	for (int i = 0; i < spec->stride_count; i++) {
		int stride = spec->strides[i];

		if (find(model, "cls", stride, &out->at[i][DECODER_SCORE], err) ||
		    find(model, "obj", stride, &out->at[i][DECODER_OBJECT], err) ||
		    find(model, "bbox", stride, &out->at[i][DECODER_BOX], err) ||
		    find(model, "kps", stride, &out->at[i][DECODER_POINTS], err))
			return error_errno(err);
	}
	return 0;
}

static int check_outputs(const struct nn_session *session, const struct detector_spec *spec,
			 const struct decoder_outputs *outputs, int width, int height, struct error *err)
{
	for (int i = 0; i < spec->stride_count; i++) {
		int64_t cells = decoder_cells_of(spec->strides[i], width, height);

		if (decoder_check_size(session, outputs->at[i][DECODER_SCORE], "cls", cells, err) ||
		    decoder_check_size(session, outputs->at[i][DECODER_OBJECT], "obj", cells, err) ||
		    decoder_check_size(session, outputs->at[i][DECODER_BOX], "bbox", 4 * cells, err) ||
		    decoder_check_size(session, outputs->at[i][DECODER_POINTS], "kps", 2 * FACE_LANDMARKS * cells, err))
			return error_errno(err);
	}
	return 0;
}

static int cells(const struct detector_spec *spec, int width, int height)
{
	int count = 0;

	for (int i = 0; i < spec->stride_count; i++)
		count += decoder_cells_of(spec->strides[i], width, height);
	return count;
}

static float clamp01(float value)
{
	return fminf(fmaxf(value, 0.0f), 1.0f);
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

static void decode_level(const struct level *level, float threshold, int width, int height,
			 struct candidates *candidates)
{
	for (int row = 0; row < level->rows; row++) {
		for (int column = 0; column < level->columns; column++) {
			int cell = row * level->columns + column;
			float score = sqrtf(clamp01(level->cls[cell]) * clamp01(level->obj[cell]));

			if (!(score >= threshold))
				continue;
			struct face face = face_in_cell(level, row, column, score);
			decoder_put(candidates, &face, width, height);
		}
	}
}

static void decode(const struct nn_session *session, const struct detector_spec *spec,
		   const struct decoder_outputs *outputs, int width, int height, struct candidates *candidates)
{
	for (int i = 0; i < spec->stride_count; i++) {
		struct level level = {
		    .stride = spec->strides[i],
		    .columns = width / spec->strides[i],
		    .rows = height / spec->strides[i],
		    .cls = nn_session_output(session, outputs->at[i][DECODER_SCORE], NULL),
		    .obj = nn_session_output(session, outputs->at[i][DECODER_OBJECT], NULL),
		    .bbox = nn_session_output(session, outputs->at[i][DECODER_BOX], NULL),
		    .kps = nn_session_output(session, outputs->at[i][DECODER_POINTS], NULL),
		};

		decode_level(&level, spec->score_threshold, width, height, candidates);
	}
}

const struct face_decoder face_decoder_yunet = {
    .name = "yunet",
    .find_outputs = find_outputs,
    .check_outputs = check_outputs,
    .cells = cells,
    .decode = decode,
};
