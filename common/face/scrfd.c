/*
 * SCRFD with key points (Guo and others, 2021), as InsightFace exports it: for each stride scores, boxes and points,
 * two anchors a cell. Outputs are in the order scores, boxes, points, each by rising stride; files name them by
 * numbers. A box is four distances from the cell's corner, a point an offset from it, both in strides.
 */
#include <math.h>

#include "face/decoder.h"

#define ANCHORS 2

static int find_outputs(const struct nn_model *model, const struct detector_spec *spec, struct decoder_outputs *out,
			struct error *err)
{
	unsigned strides = (unsigned)spec->stride_count;

	if (nn_model_output_count(model) != 3 * strides)
		return error_set(err, ERROR_MODEL,
				 "the network has %u outputs, the decoder scrfd reads %u: scores, boxes and points of "
				 "each stride",
				 nn_model_output_count(model), 3 * strides);
	for (unsigned i = 0; i < strides; i++) {
		out->at[i][DECODER_SCORE] = i;
		out->at[i][DECODER_BOX] = strides + i;
		out->at[i][DECODER_POINTS] = 2 * strides + i;
	}
	return 0;
}

static int check_outputs(const struct nn_session *session, const struct detector_spec *spec,
			 const struct decoder_outputs *outputs, int width, int height, struct error *err)
{
	for (int i = 0; i < spec->stride_count; i++) {
		int64_t anchors = (int64_t)ANCHORS * decoder_cells_of(spec->strides[i], width, height);

		if (decoder_check_size(session, outputs->at[i][DECODER_SCORE], "scores", anchors, err) ||
		    decoder_check_size(session, outputs->at[i][DECODER_BOX], "boxes", 4 * anchors, err) ||
		    decoder_check_size(session, outputs->at[i][DECODER_POINTS], "points", 2 * FACE_LANDMARKS * anchors,
				       err))
			return error_errno(err);
	}
	return 0;
}

static int cells(const struct detector_spec *spec, int width, int height)
{
	int count = 0;

	for (int i = 0; i < spec->stride_count; i++)
		count += ANCHORS * decoder_cells_of(spec->strides[i], width, height);
	return count;
}

static struct face face_at(float x, float y, float stride, const float *box, const float *points, float score)
{
	struct face face = {
	    .box = {x - box[0] * stride, y - box[1] * stride, (box[0] + box[2]) * stride, (box[1] + box[3]) * stride},
	    .score = score,
	};

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		face.landmarks[i][0] = x + points[2 * i] * stride;
		face.landmarks[i][1] = y + points[2 * i + 1] * stride;
	}
	return face;
}

static void decode(const struct nn_session *session, const struct detector_spec *spec,
		   const struct decoder_outputs *outputs, int width, int height, struct candidates *candidates)
{
	for (int i = 0; i < spec->stride_count; i++) {
		const float *scores = nn_session_output(session, outputs->at[i][DECODER_SCORE], NULL);
		const float *boxes = nn_session_output(session, outputs->at[i][DECODER_BOX], NULL);
		const float *points = nn_session_output(session, outputs->at[i][DECODER_POINTS], NULL);
		int stride = spec->strides[i];
		int columns = width / stride;
		int count = ANCHORS * decoder_cells_of(stride, width, height);

		for (int k = 0; k < count; k++) {
			int cell = k / ANCHORS;

			if (!(scores[k] >= spec->score_threshold))
				continue;
			struct face face =
			    face_at((float)(cell % columns * stride), (float)(cell / columns * stride), (float)stride,
				    boxes + 4 * k, points + 2 * FACE_LANDMARKS * k, fminf(scores[k], 1));
			decoder_put(candidates, &face, width, height);
		}
	}
}

const struct face_decoder face_decoder_scrfd = {
    .name = "scrfd",
    .find_outputs = find_outputs,
    .check_outputs = check_outputs,
    .cells = cells,
    .decode = decode,
};
