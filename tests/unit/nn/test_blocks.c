/*
 * Networks whose tensors lie in blocks of channels. Every value is an output of the graph, so that each node can be
 * held against a plain computation from the operands it had.
 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "nn/model.h"

/* Channels that fill no block of 4, 8 or 16 to its end. */
enum { CHANNELS = 18, SIDE = 11, MOST = CHANNELS * SIDE * SIDE };

enum value { FIRST, POOL, LARGE, SLID, SUM, HALF, GROUPED, ODD, FEW, WIDE, HEADS, VALUES };

static const char *const names[VALUES] = {"first",   "pool", "large", "slid", "sum",  "half",
					  "grouped", "odd",  "few",   "wide", "heads"};

static float dense[CHANNELS * CHANNELS * 9];
static int64_t first_dims[] = {CHANNELS, 3, 3, 3};
static int64_t slid_dims[] = {CHANNELS, 1, 3, 3};
static int64_t grouped_dims[] = {CHANNELS, CHANNELS / 2, 1, 1};
static int64_t odd_dims[] = {CHANNELS - 5, CHANNELS, 3, 3};
static int64_t few_dims[] = {2, CHANNELS - 5, 1, 1};
static int64_t wide_dims[] = {32, CHANNELS, 1, 1};
static int64_t heads_dims[] = {2, 32, 1, 1};
static int64_t one[] = {1, 1, 1, 1};
static int64_t two[] = {2, 2};
static int64_t three[] = {3, 3};

/* Copies of the outputs, and their shapes. */
struct result {
	float *data[VALUES];
	struct nn_shape shape[VALUES];
};

static void add_conv(struct builder *b, const char *input, enum value out, const char *weights, int64_t *dims)
{
	char inputs[32];

	builder_floats(b, weights, 4, dims, dense);
	snprintf(inputs, sizeof(inputs), "%s %s", input, weights);
	builder_node(b, "Conv", inputs, names[out]);
}

static struct nn_model *build(const struct nn_kernels *kernels)
{
	static const int64_t in[] = {1, 3, SIDE, SIDE};
	static int64_t four[] = {4};
	static float scales[] = {1, 1, 2, 2};
	struct nn_model *model;
	struct builder b;

	builder_init(&b, 13, 4, in);
	add_conv(&b, "x", FIRST, "w1", first_dims);
	builder_list(&b, "pads", 4, one);
	builder_node(&b, "MaxPool", "first", names[POOL]);
	builder_list(&b, "kernel_shape", 2, three);
	builder_list(&b, "strides", 2, two);
	builder_list(&b, "pads", 4, one);
	builder_floats(&b, "scales", 1, four, scales);
	builder_node(&b, "Resize", "pool - scales", names[LARGE]);
	add_conv(&b, "large", SLID, "w2", slid_dims);
	builder_int(&b, "group", CHANNELS);
	builder_list(&b, "pads", 4, one);
	builder_node(&b, "Add", "large slid", names[SUM]);
	add_conv(&b, "sum", HALF, "w3", slid_dims);
	builder_int(&b, "group", CHANNELS);
	builder_list(&b, "strides", 2, two);
	add_conv(&b, "half", GROUPED, "w4", grouped_dims);
	builder_int(&b, "group", 2);
	add_conv(&b, "sum", ODD, "w5", odd_dims);
	builder_list(&b, "strides", 2, two);
	builder_list(&b, "pads", 4, one);
	add_conv(&b, "odd", FEW, "w6", few_dims);
	add_conv(&b, "sum", WIDE, "w7", wide_dims);
	add_conv(&b, "wide", HEADS, "w8", heads_dims);
	for (int i = 0; i < VALUES; i++)
		builder_output(&b, names[i]);
	struct buffer file = builder_write(&b);
	assert_int_equal(nn_model_load_for(&model, "blocks", file.data, file.size, kernels, NULL), 0);
	buffer_finish(&file);
	builder_finish(&b);
	return model;
}

static float at(const float *plane, const struct nn_shape *s, int64_t c, int64_t y, int64_t x, float outside)
{
	bool is_inside = y >= 0 && y < s->dim[2] && x >= 0 && x < s->dim[3];

	return is_inside ? plane[(c * s->dim[2] + y) * s->dim[3] + x] : outside;
}

/* One output of a convolution with square windows, weights from `dense`. */
static float conv_at(const struct result *r, enum value in, const float *x, const struct nn_shape *shape,
		     const int64_t *dims, int64_t groups, int64_t stride, int64_t pad, const int64_t place[3])
{
	const float *w = dense + place[0] * dims[1] * dims[2] * dims[3];
	int64_t first = place[0] / (dims[0] / groups) * dims[1];
	double sum = 0;

	x = x ? x : r->data[in];
	shape = shape ? shape : &r->shape[in];
	for (int64_t c = 0; c < dims[1]; c++) {
		for (int64_t t = 0; t < dims[2] * dims[3]; t++)
			sum += (double)*w++ * (double)at(x, shape, first + c, place[1] * stride - pad + t / dims[3],
							 place[2] * stride - pad + t % dims[3], 0);
	}
	return (float)sum;
}

static float pool_at(const struct result *r, const int64_t place[3])
{
	float most = -INFINITY;

	for (int64_t t = 0; t < 9; t++)
		most = fmaxf(most, at(r->data[FIRST], &r->shape[FIRST], place[0], place[1] * 2 - 1 + t / 3,
				      place[2] * 2 - 1 + t % 3, -INFINITY));
	return most;
}

static float expected(const struct result *r, const float *x, enum value value, const int64_t p[3])
{
	static const struct nn_shape input = {.rank = 4, .dim = {1, 3, SIDE, SIDE}};

	switch (value) {
	case FIRST:
		return conv_at(r, FIRST, x, &input, first_dims, 1, 1, 1, p);
	case POOL:
		return pool_at(r, p);
	case LARGE:
		return at(r->data[POOL], &r->shape[POOL], p[0], p[1] / 2, p[2] / 2, 0);
	case SLID:
		return conv_at(r, LARGE, NULL, NULL, slid_dims, CHANNELS, 1, 1, p);
	case SUM:
		return at(r->data[LARGE], &r->shape[LARGE], p[0], p[1], p[2], 0) +
		       at(r->data[SLID], &r->shape[SLID], p[0], p[1], p[2], 0);
	case HALF:
		return conv_at(r, SUM, NULL, NULL, slid_dims, CHANNELS, 2, 0, p);
	case GROUPED:
		return conv_at(r, HALF, NULL, NULL, grouped_dims, 2, 1, 0, p);
	case ODD:
		return conv_at(r, SUM, NULL, NULL, odd_dims, 1, 2, 1, p);
	case WIDE:
		return conv_at(r, SUM, NULL, NULL, wide_dims, 1, 1, 0, p);
	case HEADS:
		return conv_at(r, WIDE, NULL, NULL, heads_dims, 1, 1, 0, p);
	default:
		return conv_at(r, ODD, NULL, NULL, few_dims, 1, 1, 0, p);
	}
}

static void assert_value(const struct result *r, const float *x, enum value value)
{
	const struct nn_shape *s = &r->shape[value];
	size_t count = (size_t)nn_shape_count(s);
	float *right = calloc(count, sizeof(*right));

	for (size_t i = 0; i < count; i++) {
		int64_t area = s->dim[2] * s->dim[3];
		const int64_t place[3] = {(int64_t)i / area, (int64_t)i % area / s->dim[3], (int64_t)i % s->dim[3]};

		right[i] = expected(r, x, value, place);
	}
	support_assert_close(names[value], r->data[value], right, count, 1e-5);
	free(right);
}

static void test_chain(void **state)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, SIDE, SIDE}};
	struct nn_model *model = build(nn_kernels_named(*state));
	struct nn_session *session = support_session(model, &shape);
	struct result r;
	float x[3 * SIDE * SIDE];

	support_noise(x, array_size(x), 7);
	for (size_t i = 0; i < array_size(x); i++)
		nn_session_input(session)[i] = x[i];
	nn_session_run(session, 1);
	for (int i = 0; i < VALUES; i++)
		r.data[i] = (float *)(uintptr_t)nn_session_output(session, (unsigned)i, &r.shape[i]);
	for (int i = 0; i < VALUES; i++)
		assert_value(&r, x, (enum value)i);
	nn_session_free(session);
	nn_model_free(model);
}

static bool is_usable(const void *state)
{
	return nn_kernels_named(state) != NULL;
}

int main(void)
{
	struct CMUnitTest tests[] = {
	    {"test_chain (portable)", test_chain, NULL, NULL, (void *)"portable"},
	    {"test_chain (avx2)", test_chain, NULL, NULL, (void *)"avx2"},
	    {"test_chain (avx512)", test_chain, NULL, NULL, (void *)"avx512"},
	};

	support_noise(dense, array_size(dense), 3);
	return support_run_tests(tests, array_size(tests), is_usable, "these instructions");
}
