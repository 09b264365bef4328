/* Convolution with everything that can be set, against a plain loop, on all kernels this processor can run. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "nn/model.h"

struct setting {
	int64_t in[4]; /* n, c, h, w */
	int64_t out;   /* channels */
	int64_t group;
	int64_t kernel[2];
	int64_t stride[2];
	int64_t dilation[2];
	int64_t pads[4];
};

static const struct setting settings[] = {
    {{1, 3, 16, 16}, 16, 1, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {{1, 8, 7, 7}, 13, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 5, 9, 14}, 7, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 6, 9, 9}, 4, 1, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {{1, 4, 11, 10}, 6, 2, {3, 5}, {2, 3}, {1, 1}, {0, 2, 1, 1}},
    {{1, 4, 12, 12}, 9, 1, {3, 3}, {1, 1}, {2, 3}, {2, 3, 2, 3}},
    {{1, 4, 12, 12}, 5, 1, {3, 2}, {2, 2}, {3, 2}, {3, 0, 0, 4}},
    {{1, 4, 13, 5}, 4, 4, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{1, 4, 13, 21}, 8, 4, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {{1, 16, 7, 7}, 16, 16, {7, 7}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{1, 3, 40, 1}, 2, 1, {5, 1}, {1, 1}, {1, 1}, {2, 0, 2, 0}},
    {{3, 3, 6, 6}, 5, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}},
    {{2, 3, 6, 6}, 6, 3, {2, 2}, {1, 1}, {1, 1}, {0, 0, 1, 1}},
};

static int64_t out_size(const struct setting *s, int axis)
{
	int64_t extent = (s->kernel[axis] - 1) * s->dilation[axis] + 1;

	return (s->in[2 + axis] + s->pads[axis] + s->pads[axis + 2] - extent) / s->stride[axis] + 1;
}

static double tap_sum(const struct setting *s, const float *x, const float *w, int64_t y0, int64_t x0)
{
	double sum = 0;

	for (int64_t c = 0; c < s->in[1] / s->group; c++) {
		for (int64_t ky = 0; ky < s->kernel[0]; ky++) {
			for (int64_t kx = 0; kx < s->kernel[1]; kx++, w++) {
				int64_t iy = y0 + ky * s->dilation[0];
				int64_t ix = x0 + kx * s->dilation[1];

				if (iy >= 0 && iy < s->in[2] && ix >= 0 && ix < s->in[3])
					sum += (double)*w * (double)x[(c * s->in[2] + iy) * s->in[3] + ix];
			}
		}
	}
	return sum;
}

/* PRelu(conv + x2 · residual), the way the definition says it. */
static float *expected(const struct setting *s, const float *x, const float *w, const float *bias, const float *slope,
		       size_t *count)
{
	int64_t height = out_size(s, 0);
	int64_t width = out_size(s, 1);
	int64_t group_in = s->in[1] / s->group;
	int64_t group_out = s->out / s->group;
	int64_t depth = group_in * s->kernel[0] * s->kernel[1];
	float *out = malloc((size_t)(s->in[0] * s->out * height * width) * sizeof(float));

	*count = 0;
	for (int64_t n = 0; n < s->in[0]; n++) {
		for (int64_t m = 0; m < s->out; m++) {
			const float *plane = x + (n * s->in[1] + m / group_out * group_in) * s->in[2] * s->in[3];

			for (int64_t i = 0; i < height * width; i++) {
				double sum = (double)bias[m] + tap_sum(s, plane, w + m * depth,
								       i / width * s->stride[0] - s->pads[0],
								       i % width * s->stride[1] - s->pads[1]);
				out[(*count)++] = (float)(sum < 0 ? sum * (double)slope[m] : sum);
			}
		}
	}
	return out;
}

static void build(struct builder *b, struct setting *s, float *w, float *bias, float *slope, int64_t dims[3][4])
{
	int64_t weights[4] = {s->out, s->in[1] / s->group, s->kernel[0], s->kernel[1]};
	int64_t slopes[4] = {s->out, 1, 1};

	memcpy(dims[0], weights, sizeof(weights));
	memcpy(dims[1], slopes, sizeof(slopes));
	builder_init(b, 13, 4, s->in);
	builder_floats(b, "w", 4, dims[0], w);
	builder_floats(b, "b", 1, dims[1], bias);
	builder_floats(b, "s", 3, dims[1], slope);
	builder_node(b, "Conv", "x w b", "c");
	builder_int(b, "group", s->group);
	builder_list(b, "strides", 2, s->stride);
	builder_list(b, "dilations", 2, s->dilation);
	builder_list(b, "pads", 4, s->pads);
	builder_node(b, "PRelu", "c s", "y");
	builder_output(b, "y");
}

static void assert_setting(struct setting *s, const struct nn_kernels *kernels)
{
	struct nn_shape shape = {.rank = 4, .dim = {s->in[0], s->in[1], s->in[2], s->in[3]}};
	float w[4096];
	float bias[64];
	float slope[64];
	float x[8192];
	int64_t dims[3][4];
	struct builder b;
	struct nn_model *model;
	size_t count;
	size_t expected_count;

	support_noise(w, array_size(w), 1);
	support_noise(bias, array_size(bias), 2);
	support_noise(slope, array_size(slope), 3);
	support_noise(x, array_size(x), 4);
	build(&b, s, w, bias, slope, dims);
	struct buffer file = builder_write(&b);
	assert_int_equal(nn_model_load_for(&model, "conv", file.data, file.size, kernels, NULL), 0);
	buffer_finish(&file);
	builder_finish(&b);
	float *got = support_run(model, &shape, x, &count);
	float *right = expected(s, x, w, bias, slope, &expected_count);
	assert_int_equal(count, expected_count);
	support_assert_close(kernels->name, got, right, count, 1e-5);
	free(got);
	free(right);
	nn_model_free(model);
}

static void test_settings(void **state)
{
	const struct nn_kernels *kernels = nn_kernels_named(*state);

	for (size_t i = 0; i < array_size(settings); i++) {
		struct setting s = settings[i];
		assert_setting(&s, kernels);
	}
}

static void test_refused(void **state)
{
	static float w[64];
	static int64_t in[] = {1, 3, 8, 8};
	static int64_t five[] = {4, 5, 2, 2};
	static int64_t three[] = {4, 3, 2, 2};
	static int64_t huge[] = {1, 99999};
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, 8, 8}};
	struct nn_session *session = NULL;
	struct error err = {0};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, in);
	builder_floats(&b, "w", 4, three, w);
	builder_node(&b, "Conv", "x w", "y");
	builder_list(&b, "strides", 2, huge);
	builder_output(&b, "y");
	support_assert_refused(&b, "node 'y' (Conv): strides has 99999");

	builder_init(&b, 13, 4, in);
	builder_floats(&b, "w", 4, five, w);
	b.tensors[0].n_float_data = 80;
	float many[80] = {0};
	b.tensors[0].float_data = many;
	builder_node(&b, "Conv", "x w", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);
	assert_true(nn_session_new(&session, model, &shape, 0, &err) < 0);
	assert_non_null(strstr(err.text, "node 'y' (Conv): weights and group do not fit"));
	nn_model_free(model);
}

static struct CMUnitTest tests[] = {
    {"test_settings (portable)", test_settings, NULL, NULL, (void *)"portable"},
    {"test_settings (avx2)", test_settings, NULL, NULL, (void *)"avx2"},
    {"test_settings (avx512)", test_settings, NULL, NULL, (void *)"avx512"},
    cmocka_unit_test(test_refused),
};

static bool has_kernels(const void *name)
{
	return !name || nn_kernels_named(name);
}

int main(void)
{
	return support_run_tests(tests, array_size(tests), has_kernels, "this processor lacks the instructions");
}
