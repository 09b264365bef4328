/* Convolution in 8 bits: against float32, against sums worked out by hand, and every kernel against the portable one.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "nn/model.h"
#include "nn/quantise.h"
#include "nn/session.h"

static int64_t input_dims[] = {1, 5, 11, 13};
static int64_t dims[][4] = {{20, 5, 3, 3}, {20, 1, 1}, {20, 1, 3, 3}, {20, 20, 1, 1}, {7, 20, 2, 3}, {7}};
static float weights[6][4096];

/* Everything that the 8-bit path does: stride, padding, dilation, slopes, depthwise, a residual, odd channels. */
static struct buffer write_network(void)
{
	static int64_t twos[] = {2, 2};
	static int64_t pads[] = {1, 1, 1, 1};
	static int64_t dilations[] = {1, 2};
	struct builder b;

	for (unsigned i = 0; i < array_size(weights); i++)
		support_noise(weights[i], array_size(weights[i]), i + 1);
	builder_init(&b, 13, 4, input_dims);
	builder_floats(&b, "w0", 4, dims[0], weights[0]);
	builder_floats(&b, "s", 3, dims[1], weights[1]);
	builder_floats(&b, "w1", 4, dims[2], weights[2]);
	builder_floats(&b, "w2", 4, dims[3], weights[3]);
	builder_floats(&b, "w3", 4, dims[4], weights[4]);
	builder_floats(&b, "b3", 1, dims[5], weights[5]);
	builder_node(&b, "Conv", "x w0", "c");
	builder_list(&b, "strides", 2, twos);
	builder_list(&b, "pads", 4, pads);
	builder_node(&b, "PRelu", "c s", "p");
	builder_node(&b, "Conv", "p w1", "d");
	builder_int(&b, "group", 20);
	builder_list(&b, "pads", 4, pads);
	builder_node(&b, "Relu", "d", "r");
	builder_node(&b, "Conv", "r w2", "e");
	builder_node(&b, "Add", "e p", "a");
	builder_node(&b, "Conv", "a w3 b3", "y");
	builder_list(&b, "dilations", 2, dilations);
	builder_output(&b, "y");
	struct buffer file = builder_write(&b);
	builder_finish(&b);
	return file;
}

static void fill_input(float *x)
{
	support_noise(x, 5 * 11 * 13, 9);
}

/* The ranges that a run of the network in float32 shows; free() them. */
static char *calibrated(const struct nn_model *model, const struct nn_shape *shape)
{
	struct nn_session *session = support_session(model, shape);
	struct nn_range *ranges = calloc(model->graph.value_count, sizeof(*ranges));
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(ranges);
	assert_non_null(file);
	for (unsigned i = 0; i < model->graph.value_count; i++)
		ranges[i] = (struct nn_range){1, -1};
	fill_input(nn_session_input(session));
	nn_calibrate(session, ranges);
	assert_int_equal(nn_calibration_write(model, ranges, file), 0);
	fclose(file);
	free(ranges);
	nn_session_free(session);
	return text;
}

static float *run_with(const char *kernels, struct buffer file, const char *ranges, const struct nn_shape *shape,
		       size_t *count)
{
	float x[5 * 11 * 13];
	struct nn_model *model;
	struct error err = {0};

	fill_input(x);
	if (nn_model_load_int8_for(&model, "int8", file.data, file.size, ranges, strlen(ranges), nn_kernels_best(),
				   nn_int8_named(kernels), &err) < 0)
		fail_msg("%s", err.text);
	float *out = support_run(model, shape, x, count);
	nn_model_free(model);
	return out;
}

/* The portable kernels stay near float32; the others give exactly what the portable ones do. */
static void test_network(void **state)
{
	const struct nn_shape shape = {.rank = 4, .dim = {1, 5, 11, 13}};
	struct buffer file = write_network();
	struct nn_model *model;
	float x[5 * 11 * 13];
	size_t count;
	size_t other_count;

	assert_int_equal(nn_model_load(&model, "float32", file.data, file.size, NULL), 0);
	char *ranges = calibrated(model, &shape);
	fill_input(x);
	float *exact = support_run(model, &shape, x, &count);
	float *portable = run_with("portable", file, ranges, &shape, &other_count);
	assert_int_equal(count, other_count);
	support_assert_close("int8", portable, exact, count, 0.03);
	assert_memory_not_equal(portable, exact, count * sizeof(float));
	float *other = run_with(*state, file, ranges, &shape, &other_count);
	assert_memory_equal(other, portable, count * sizeof(float));
	free(other);
	free(portable);
	free(exact);
	free(ranges);
	nn_model_free(model);
	buffer_finish(&file);
}

/* Products of the largest bytes: their pairs overflow 16 bits, so instructions that saturate there would show. */
static void test_largest_sums(void **state)
{
	enum { DEPTH = 512, ROWS = 70 };
	const struct nn_int8_kernels *kernels = nn_int8_named(*state);
	static uint8_t input[DEPTH + NN_SLACK];
	static int8_t plain[ROWS][DEPTH];
	static int8_t packed[NN_INT8_PACKED(ROWS, DEPTH)];
	static float scale[2 * NN_INT8_CHANNELS];
	static float bias[2 * NN_INT8_CHANNELS];
	static float out[ROWS];
	const int64_t offset = 0;
	struct nn_int8_slide job = {
	    .input = input,
	    .height = 1,
	    .width = 1,
	    .channels = ROWS,
	    .offsets = &offset,
	    .runs = 1,
	    .run_length = DEPTH,
	    .ending = {.scale = scale, .bias = bias, .values = out},
	};

	memset(input, 255, sizeof(input));
	for (int row = 0; row < ROWS; row++) {
		scale[row] = 1;
		memset(plain[row], row % 2 ? -127 : 127, DEPTH);
	}
	nn_int8_pack(kernels, plain[0], ROWS, DEPTH, packed);
	kernels->dense(&job, packed);
	for (int row = 0; row < ROWS; row++)
		assert_int_equal(out[row], (row % 2 ? -127 : 127) * 255 * DEPTH);
}

static void test_refused_ranges(void **state)
{
	static const char *const texts[] = {
	    "1 2 x",    "-1 1",         "-1 1 nobody", "-1 1 w0", "-1 1 x\n-1 1 x", "nan 1 x",
	    "-1 inf x", "-1e30 1e30 x", "0 0 x",       "x",       "-1 1\tx",
	};
	struct buffer file = write_network();
	struct nn_model *model = NULL;

	(void)state;
	for (size_t i = 0; i < array_size(texts); i++) {
		struct error err = {0};

		assert_true(nn_model_load_int8(&model, "bad", file.data, file.size, texts[i], strlen(texts[i]), &err) <
			    0);
		assert_int_equal(err.code, ERROR_MODEL);
		assert_non_null(strstr(err.text, "bad: ranges, line"));
	}
	buffer_finish(&file);
}

/* Without any range, and with one that only the middle of the network has, the rest stays in float32. */
static void test_some_ranges(void **state)
{
	static const char *const texts[] = {"# none\n", "-9 9 p\n", "-9 9 p\n-9 9 r\n-20 20 a\n", "-1 1 x\n-9 9 r\n"};
	const struct nn_shape shape = {.rank = 4, .dim = {1, 5, 11, 13}};
	struct buffer file = write_network();
	struct nn_model *model;
	float x[5 * 11 * 13];
	size_t count;

	(void)state;
	fill_input(x);
	assert_int_equal(nn_model_load(&model, "float32", file.data, file.size, NULL), 0);
	float *exact = support_run(model, &shape, x, &count);
	for (size_t i = 0; i < array_size(texts); i++) {
		float *out = run_with("portable", file, texts[i], &shape, &count);

		support_assert_close(texts[i], out, exact, count, 0.06);
		free(out);
	}
	free(exact);
	nn_model_free(model);
	buffer_finish(&file);
}

static struct CMUnitTest tests[] = {
    {"test_network (portable)", test_network, NULL, NULL, (void *)"portable"},
    {"test_network (avx2)", test_network, NULL, NULL, (void *)"avx2"},
    {"test_network (vnni)", test_network, NULL, NULL, (void *)"vnni"},
    {"test_largest_sums (portable)", test_largest_sums, NULL, NULL, (void *)"portable"},
    {"test_largest_sums (avx2)", test_largest_sums, NULL, NULL, (void *)"avx2"},
    {"test_largest_sums (vnni)", test_largest_sums, NULL, NULL, (void *)"vnni"},
    cmocka_unit_test(test_refused_ranges),
    cmocka_unit_test(test_some_ranges),
};

static bool has_kernels(const void *name)
{
	return !name || nn_int8_named(name);
}

int main(void)
{
	return support_run_tests(tests, array_size(tests), has_kernels, "this processor lacks the instructions");
}
