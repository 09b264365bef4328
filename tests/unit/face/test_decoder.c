/* Decoders on networks that always say the same: their outputs are constants of the file. */
#include "../nn/builder.h"
#include "run.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "face/decoder.h"

enum { SIDE = 32, CELLS_8 = 16, CELLS_16 = 4, CELLS_32 = 1, CELLS = CELLS_8 + CELLS_16 + CELLS_32 };

static const struct detector_spec spec = {.strides = {8, 16, 32}, .stride_count = 3, .score_threshold = 0.5f};

/* What a decoder made of a network. */
struct found {
	struct face faces[8];
	struct candidates candidates;
};

static void run(const struct face_decoder *decoder, struct builder *b, struct found *found)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, SIDE, SIDE}};
	struct decoder_outputs outputs;
	struct nn_session *session;
	struct nn_model *model;
	struct error err = {0};
	struct buffer file = builder_write(b);

	assert_int_equal(nn_model_load(&model, "constant", file.data, file.size, &err), 0);
	assert_int_equal(nn_session_new(&session, model, &shape, 0, &err), 0);
	nn_session_run(session, 1);
	assert_int_equal(decoder->find_outputs(model, &spec, &outputs, &err), 0);
	assert_int_equal(decoder->check_outputs(session, &spec, &outputs, SIDE, SIDE, &err), 0);
	assert_true(decoder->check_outputs(session, &spec, &outputs, 2 * SIDE, SIDE, &err) < 0);
	assert_non_null(strstr(err.text, "where the decoder reads"));
	found->candidates = (struct candidates){.items = found->faces, .capacity = array_size(found->faces)};
	decoder->decode(session, &spec, &outputs, SIDE, SIDE, &found->candidates);
	nn_session_free(session);
	nn_model_free(model);
	buffer_finish(&file);
	builder_finish(b);
}

static void add_output(struct builder *b, const char *name, int64_t *dims, float *values)
{
	builder_floats(b, name, 2, dims, values);
	builder_output(b, name);
}

static void assert_face(const struct face *face, const float box[4], float point_x, float point_y)
{
	for (int i = 0; i < 4; i++)
		assert_float_equal(face->box[i], box[i], 1e-3);
	assert_float_equal(face->landmarks[4][0], point_x, 1e-3);
	assert_float_equal(face->landmarks[4][1], point_y, 1e-3);
}

static void test_scrfd(void **state)
{
	static const int64_t in[] = {1, 3, SIDE, SIDE};
	static int64_t dims[9][2];
	static float scores[3][2 * CELLS_8];
	static float boxes[3][4 * 2 * CELLS_8];
	static float points[3][10 * 2 * CELLS_8];
	static const char *const names[] = {"443", "468", "493", "446", "471", "496", "449", "474", "499"};
	static const int cells[] = {CELLS_8, CELLS_16, CELLS_32};
	struct found found;
	struct builder b;

	(void)state;
	/* Second anchor of the cell in row 1, column 0 of stride 16. */
	scores[1][5] = 0.9f;
	memcpy(boxes[1] + 4 * 5, (float[]){1, 0.5f, 1, 1.5f}, 4 * sizeof(float));
	points[1][10 * 5 + 8] = 0.25f;
	points[1][10 * 5 + 9] = -0.5f;
	/* None of these is a face. */
	scores[0][0] = NAN;
	scores[0][1] = 0.9f;
	boxes[0][4] = INFINITY;
	scores[0][2] = 0.9f;
	boxes[0][8] = boxes[0][10] = 1e6f;
	boxes[0][9] = boxes[0][11] = 1;
	scores[0][3] = 0.9f; /* an empty box */
	builder_init(&b, 13, 4, in);
	for (int i = 0; i < 9; i++) {
		int level = i % 3;
		float *values = i < 3 ? scores[level] : i < 6 ? boxes[level] : points[level];

		dims[i][0] = 2 * cells[level];
		dims[i][1] = i < 3 ? 1 : i < 6 ? 4 : 10;
		add_output(&b, names[i], dims[i], values);
	}
	run(&face_decoder_scrfd, &b, &found);
	assert_int_equal(face_decoder_scrfd.cells(&spec, SIDE, SIDE), 2 * CELLS);
	assert_int_equal(found.candidates.count, 1);
	assert_float_equal(found.faces[0].score, 0.9, 1e-6);
	assert_face(&found.faces[0], (float[]){-16, 8, 32, 32}, 4, 8);
}

static void test_retinaface(void **state)
{
	static const int64_t in[] = {1, 3, SIDE, SIDE};
	static int64_t dims[3][2] = {{2 * CELLS, 4}, {2 * CELLS, 2}, {2 * CELLS, 10}};
	static float boxes[2 * CELLS][4];
	static float scores[2 * CELLS][2];
	static float points[2 * CELLS][10];
	/* First prior, 64 pixels, of the cell in row 0, column 1 of stride 16: around (24, 8). */
	const int at = 2 * (CELLS_8 + 1);
	struct found found;
	struct builder b;

	(void)state;
	scores[at][1] = 0.75f;
	boxes[at][0] = 1;
	boxes[at][3] = 5 * logf(0.5f);
	points[at][8] = -1;
	points[at][9] = 2;
	scores[0][0] = 1; /* background */
	scores[1][1] = 0.9f;
	boxes[1][2] = 1e4f; /* a side beyond any number */
	scores[2][1] = 0.9f;
	points[2][3] = NAN;
	builder_init(&b, 13, 4, in);
	add_output(&b, "boxes", dims[0], boxes[0]);
	add_output(&b, "scores", dims[1], scores[0]);
	add_output(&b, "points", dims[2], points[0]);
	run(&face_decoder_retinaface, &b, &found);
	assert_int_equal(found.candidates.count, 1);
	assert_float_equal(found.faces[0].score, 0.75, 1e-6);
	assert_face(&found.faces[0], (float[]){24 + 6.4f - 32, 8 - 16, 64, 32}, 24 - 6.4f, 8 + 12.8f);
}

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(face_decoder_find("yunet"), &face_decoder_yunet);
	assert_non_null(strstr(FACE_DECODER_NAMES, face_decoder_scrfd.name));
	assert_null(face_decoder_find("ssd"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_scrfd),
    cmocka_unit_test(test_retinaface),
    cmocka_unit_test(test_names),
};

RUN_TESTS(tests)
