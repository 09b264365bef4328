/*
 * RetinaFace (Deng and others, 2019) as its PyTorch versions are exported: three outputs in the order boxes, scores
 * (background, face; after the softmax), points, each over all strides. Every cell has two priors around its centre,
 * squares of stride²/4 pixels a side and twice that (16 and 32 at stride 8, 256 and 512 at 32); boxes and points are
 * relative to them, scaled by variances.
 */
#include <math.h>

#include "face/decoder.h"

#define PRIORS 2
#define CENTRE_VARIANCE 0.1f
#define SIZE_VARIANCE 0.2f

struct prior {
	float x;
	float y;
	float side;
};

static int find_outputs(const struct nn_model *model, const struct detector_spec *spec, struct decoder_outputs *out,
			struct error *err)
{
	(void)spec;
	if (nn_model_output_count(model) != 3)
		return error_set(err, ERROR_MODEL,
				 "the network has %u outputs, the decoder retinaface reads 3: boxes, scores and points",
				 nn_model_output_count(model));
	out->at[0][DECODER_BOX] = 0;
	out->at[0][DECODER_SCORE] = 1;
	out->at[0][DECODER_POINTS] = 2;
	return 0;
}

static int cells(const struct detector_spec *spec, int width, int height)
{
	int count = 0;

	for (int i = 0; i < spec->stride_count; i++)
		count += PRIORS * decoder_cells_of(spec->strides[i], width, height);
	return count;
}

static int check_outputs(const struct nn_session *session, const struct detector_spec *spec,
			 const struct decoder_outputs *outputs, int width, int height, struct error *err)
{
	int64_t count = cells(spec, width, height);

	if (decoder_check_size(session, outputs->at[0][DECODER_BOX], "boxes", 4 * count, err) ||
	    decoder_check_size(session, outputs->at[0][DECODER_SCORE], "scores", 2 * count, err) ||
	    decoder_check_size(session, outputs->at[0][DECODER_POINTS], "points", 2 * FACE_LANDMARKS * count, err))
		return error_errno(err);
	return 0;
}

static struct face face_at(const struct prior *prior, const float *box, const float *points, float score)
{
	float width = prior->side * expf(box[2] * SIZE_VARIANCE);
	float height = prior->side * expf(box[3] * SIZE_VARIANCE);
	struct face face = {
	    .box = {prior->x + box[0] * CENTRE_VARIANCE * prior->side - width / 2,
		    prior->y + box[1] * CENTRE_VARIANCE * prior->side - height / 2, width, height},
	    .score = score,
	};

	for (int i = 0; i < FACE_LANDMARKS; i++) {
		face.landmarks[i][0] = prior->x + points[2 * i] * CENTRE_VARIANCE * prior->side;
		face.landmarks[i][1] = prior->y + points[2 * i + 1] * CENTRE_VARIANCE * prior->side;
	}
	return face;
}

static void decode(const struct nn_session *session, const struct detector_spec *spec,
		   const struct decoder_outputs *outputs, int width, int height, struct candidates *candidates)
{
	const float *boxes = nn_session_output(session, outputs->at[0][DECODER_BOX], NULL);
	const float *scores = nn_session_output(session, outputs->at[0][DECODER_SCORE], NULL);
	const float *points = nn_session_output(session, outputs->at[0][DECODER_POINTS], NULL);

	for (int i = 0; i < spec->stride_count; i++) {
		int stride = spec->strides[i];
		int columns = width / stride;
		int count = PRIORS * decoder_cells_of(stride, width, height);

		for (int k = 0; k < count; k++, boxes += 4, scores += 2, points += 2 * FACE_LANDMARKS) {
			int cell = k / PRIORS;
			struct prior prior = {
			    .x = ((float)(cell % columns) + 0.5f) * (float)stride,
			    .y = ((float)(cell / columns) + 0.5f) * (float)stride,
			    .side = (float)(stride * stride / 4 * (1 + k % PRIORS)),
			};

			if (!(scores[1] >= spec->score_threshold))
				continue;
			struct face face = face_at(&prior, boxes, points, fminf(scores[1], 1));
			decoder_put(candidates, &face, width, height);
		}
	}
}

const struct face_decoder face_decoder_retinaface = {
    .name = "retinaface",
    .find_outputs = find_outputs,
    .check_outputs = check_outputs,
    .cells = cells,
    .decode = decode,
};
