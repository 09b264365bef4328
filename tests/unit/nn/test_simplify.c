/* What is folded and fused: fewer steps, the same numbers. */
#include "support.h"

#include <math.h>
#include <stdlib.h>

#include "nn/session.h"

static int64_t dims[] = {1, 2, 3, 3};
static int64_t weight_dims[] = {2, 2, 1, 1};
static int64_t channel_dims[] = {2};
static int64_t slope_dims[] = {2, 1, 1};
static float weights[] = {1, 2, -3, 4};
static float bias[] = {0.5f, -0.25f};
static float scale[] = {2, 3};
static float mean[] = {1, -1};
static float variance[] = {4, 0.25f};
static float slope[] = {0.1f, 0.2f};
static float half = 0.5f;
static float x[18];
static const struct nn_shape shape = {.rank = 4, .dim = {1, 2, 3, 3}};

static float conv_at(int channel, int i)
{
	return weights[2 * channel] * x[i] + weights[2 * channel + 1] * x[9 + i] + bias[channel];
}

static void init(struct builder *b)
{
	support_noise(x, 18, 7);
	builder_init(b, 13, 4, dims);
	builder_floats(b, "w", 4, weight_dims, weights);
	builder_floats(b, "b", 1, channel_dims, bias);
	builder_floats(b, "scale", 1, channel_dims, scale);
	builder_floats(b, "mean", 1, channel_dims, mean);
	builder_floats(b, "var", 1, channel_dims, variance);
	builder_floats(b, "slope", 3, slope_dims, slope);
}

static unsigned steps_of(const struct nn_model *model)
{
	struct nn_session *session = support_session(model, &shape);
	unsigned steps = session->plan.step_count;

	nn_session_free(session);
	return steps;
}

/* The graph comes to so many steps, and `x` to what is expected. */
static void expect(struct builder *b, const char *what, unsigned steps, const float expected[18])
{
	struct nn_model *model = support_build(b);
	size_t count;

	assert_int_equal(steps_of(model), steps);
	float *got = support_run(model, &shape, x, &count);
	assert_int_equal(count, 18);
	support_assert_close(what, got, expected, 18, 1e-5);
	free(got);
	nn_model_free(model);
}

static float normalised(float sum, int channel)
{
	return scale[channel] * (sum - mean[channel]) / sqrtf(variance[channel] + 1e-5f) + bias[channel];
}

static void test_batch_norm(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "BatchNormalization", "c scale b mean var", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] = normalised(conv_at(i / 9, i % 9), i / 9);
	expect(&b, "folded", 1, expected);

	/* Somebody else reads the convolution: it stays as it is. */
	init(&b);
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "BatchNormalization", "c scale b mean var", "n");
	builder_node(&b, "Sub", "n c", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] = normalised(conv_at(i / 9, i % 9), i / 9) - conv_at(i / 9, i % 9);
	expect(&b, "not folded", 3, expected);
}

static void test_scale(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_floats(&b, "half", 0, NULL, &half);
	builder_node(&b, "Mul", "x half", "s");
	builder_node(&b, "Conv", "s w b", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] = 0.5f * (conv_at(i / 9, i % 9) - bias[i / 9]) + bias[i / 9];
	expect(&b, "folded", 1, expected);

	/* Somebody else reads the product: it is computed. */
	init(&b);
	builder_floats(&b, "half", 0, NULL, &half);
	builder_node(&b, "Mul", "x half", "s");
	builder_node(&b, "Conv", "s w b", "c");
	builder_node(&b, "Sub", "c s", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] -= 0.5f * x[i];
	expect(&b, "not folded", 3, expected);
}

static void test_residual(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "Add", "x c", "a");
	builder_node(&b, "PRelu", "a slope", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++) {
		float sum = conv_at(i / 9, i % 9) + x[i];
		expected[i] = sum < 0 ? sum * slope[i / 9] : sum;
	}
	expect(&b, "added first", 1, expected);

	init(&b);
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "Relu", "c", "r");
	builder_node(&b, "Add", "r x", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] = fmaxf(conv_at(i / 9, i % 9), 0) + x[i];
	expect(&b, "added last", 1, expected);
}

/* Both operands of an Add are convolutions, one made after the other; only one can take it over. */
static void test_two_convolutions(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "Conv", "x w", "d");
	builder_node(&b, "Add", "c d", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++)
		expected[i] = 2 * conv_at(i / 9, i % 9) - bias[i / 9];
	expect(&b, "both", 2, expected);
}

/* What the graph also gives out, or somebody else also reads, must still be there. */
static void test_not_fused(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_node(&b, "Conv", "x w b", "y");
	builder_node(&b, "Relu", "y", "r");
	builder_output(&b, "y");
	builder_output(&b, "r");
	for (int i = 0; i < 18; i++)
		expected[i] = conv_at(i / 9, i % 9);
	expect(&b, "kept", 2, expected);
}

static void test_constants_and_identities(void **state)
{
	struct builder b;
	float expected[18];

	(void)state;
	init(&b);
	builder_node(&b, "Mul", "slope slope", "k");
	builder_node(&b, "Identity", "k", "k2");
	builder_node(&b, "Conv", "x w b", "c");
	builder_node(&b, "Dropout", "c", "d");
	builder_node(&b, "PRelu", "d k2", "e");
	builder_node(&b, "Exp", "e", "unused");
	builder_node(&b, "Identity", "e", "y");
	builder_output(&b, "y");
	for (int i = 0; i < 18; i++) {
		float sum = conv_at(i / 9, i % 9);
		expected[i] = sum < 0 ? sum * slope[i / 9] * slope[i / 9] : sum;
	}
	expect(&b, "folded", 1, expected);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_batch_norm), cmocka_unit_test(test_scale),
    cmocka_unit_test(test_residual),   cmocka_unit_test(test_two_convolutions),
    cmocka_unit_test(test_not_fused),  cmocka_unit_test(test_constants_and_identities),
};

RUN_TESTS(tests)
