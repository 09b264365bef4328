/* Operators one at a time, on numbers small enough to check by hand. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t picture[] = {1, 1, 3, 3};
static float numbers[] = {1, -2, 3, -4, 5, -6, 7, -8, 9};

/* Runs what was built on the first elements of `numbers` and compares the output with `expected`. */
static void expect(struct builder *b, const struct nn_shape *out, const float *expected)
{
	struct nn_shape shape = {.rank = (int)b->shape.n_dim};
	struct nn_session *session;
	struct nn_shape got;

	for (int i = 0; i < shape.rank; i++)
		shape.dim[i] = b->dims[i].dim_value;
	builder_output(b, "y");
	struct nn_model *model = support_build(b);
	session = support_session(model, &shape);
	memcpy(nn_session_input(session), numbers, (size_t)nn_shape_count(&shape) * sizeof(float));
	nn_session_run(session, (int)shape.dim[0]);
	const float *values = nn_session_output(session, 0, &got);
	assert_int_equal(got.rank, out->rank);
	for (int i = 0; i < got.rank; i++)
		assert_int_equal(got.dim[i], out->dim[i]);
	support_assert_close("output", values, expected, (size_t)nn_shape_count(&got), 1e-6);
	nn_session_free(session);
	nn_model_free(model);
}

#define SHAPE(...)                                                                                                     \
	&(struct nn_shape)                                                                                             \
	{                                                                                                              \
		.rank = sizeof((int[]){__VA_ARGS__}) / sizeof(int), .dim = { __VA_ARGS__ }                             \
	}
#define VALUES(...) ((const float[]){__VA_ARGS__})

static int64_t two_by_two[] = {2, 2};
static int64_t ones[] = {1, 1, 1, 1};

static void test_pooling(void **state)
{
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, picture);
	builder_node(&b, "MaxPool", "x", "y");
	builder_list(&b, "kernel_shape", 2, two_by_two);
	expect(&b, SHAPE(1, 1, 2, 2), VALUES(5, 5, 7, 9));

	/* A window that hangs over is shortened, not filled with zeros: every number is negative there. */
	builder_init(&b, 13, 4, picture);
	builder_node(&b, "Neg", "x", "n");
	builder_node(&b, "MaxPool", "n", "y");
	builder_list(&b, "kernel_shape", 2, two_by_two);
	builder_list(&b, "strides", 2, two_by_two);
	builder_int(&b, "ceil_mode", 1);
	expect(&b, SHAPE(1, 1, 2, 2), VALUES(4, 6, 8, -9));

	builder_init(&b, 13, 4, picture);
	builder_node(&b, "AveragePool", "x", "y");
	builder_list(&b, "kernel_shape", 2, two_by_two);
	builder_list(&b, "strides", 2, two_by_two);
	builder_list(&b, "pads", 4, ones);
	expect(&b, SHAPE(1, 1, 2, 2), VALUES(1, 0.5f, 1.5f, 0));

	builder_init(&b, 13, 4, picture);
	builder_node(&b, "AveragePool", "x", "y");
	builder_list(&b, "kernel_shape", 2, two_by_two);
	builder_list(&b, "strides", 2, two_by_two);
	builder_list(&b, "pads", 4, ones);
	builder_int(&b, "count_include_pad", 1);
	expect(&b, SHAPE(1, 1, 2, 2), VALUES(0.25f, 0.25f, 0.75f, 0));

	builder_init(&b, 13, 4, picture);
	builder_node(&b, "GlobalAveragePool", "x", "y");
	expect(&b, SHAPE(1, 1, 1, 1), VALUES(5.0f / 9));
	builder_init(&b, 13, 4, picture);
	builder_node(&b, "GlobalMaxPool", "x", "y");
	expect(&b, SHAPE(1, 1, 1, 1), VALUES(9));
}

static void test_products(void **state)
{
	static int64_t rows[] = {2, 3};
	static int64_t weights[] = {2, 3};
	static int64_t transposed[] = {3, 2};
	static int64_t bias[] = {2};
	static float w[] = {1, 2, 3, 4, 5, 6};
	static float c[] = {10, 20};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 2, rows);
	builder_floats(&b, "w", 2, weights, w);
	builder_floats(&b, "c", 1, bias, c);
	builder_node(&b, "Gemm", "x w c", "y");
	builder_int(&b, "transB", 1);
	builder_float(&b, "alpha", 2);
	builder_float(&b, "beta", 0.5f);
	expect(&b, SHAPE(2, 2), VALUES(17, 34, -19, -44));

	builder_init(&b, 13, 2, rows);
	builder_floats(&b, "w", 2, transposed, w);
	builder_node(&b, "MatMul", "x w", "y");
	expect(&b, SHAPE(2, 2), VALUES(10, 12, -19, -24));
}

static void test_broadcasting(void **state)
{
	static int64_t in[] = {1, 2, 2, 2};
	static int64_t channels[] = {2, 1, 1};
	static int64_t columns[] = {2};
	static float per_channel[] = {10, 100};
	static float per_column[] = {2, 4};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, in);
	builder_floats(&b, "c", 3, channels, per_channel);
	builder_node(&b, "Add", "x c", "y");
	expect(&b, SHAPE(1, 2, 2, 2), VALUES(11, 8, 13, 6, 105, 94, 107, 92));
	builder_init(&b, 13, 4, in);
	builder_floats(&b, "c", 1, columns, per_column);
	builder_node(&b, "Div", "x c", "y");
	expect(&b, SHAPE(1, 2, 2, 2), VALUES(0.5f, -0.5f, 1.5f, -1, 2.5f, -1.5f, 3.5f, -2));
	builder_init(&b, 13, 4, in);
	builder_floats(&b, "c", 1, columns, per_column);
	builder_floats(&b, "d", 3, channels, per_channel);
	builder_node(&b, "Max", "x c d", "y");
	expect(&b, SHAPE(1, 2, 2, 2), VALUES(10, 10, 10, 10, 100, 100, 100, 100));
	builder_init(&b, 13, 4, in);
	builder_floats(&b, "c", 1, columns, per_column);
	builder_node(&b, "Sub", "c x", "y");
	expect(&b, SHAPE(1, 2, 2, 2), VALUES(1, 6, -1, 8, -3, 10, -5, 12));
}

static void test_shapes(void **state)
{
	static int64_t in[] = {1, 2, 3};
	static int64_t turned[] = {0, 2, 1};
	static int64_t keep_and_rest[] = {0, -1};
	static int64_t axes[] = {0, -1};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 3, in);
	builder_node(&b, "Transpose", "x", "y");
	builder_list(&b, "perm", 3, turned);
	expect(&b, SHAPE(1, 3, 2), VALUES(1, -4, -2, 5, 3, -6));
	builder_init(&b, 13, 3, in);
	builder_node(&b, "Concat", "x x", "y");
	builder_int(&b, "axis", -1);
	expect(&b, SHAPE(1, 2, 6), VALUES(1, -2, 3, 1, -2, 3, -4, 5, -6, -4, 5, -6));
	builder_init(&b, 13, 3, in);
	builder_ints(&b, "s", 2, keep_and_rest);
	builder_node(&b, "Reshape", "x s", "y");
	expect(&b, SHAPE(1, 6), numbers);
	builder_init(&b, 11, 3, in);
	builder_node(&b, "Unsqueeze", "x", "y");
	builder_list(&b, "axes", 2, axes);
	expect(&b, SHAPE(1, 1, 2, 3, 1), numbers);
	builder_init(&b, 13, 3, in);
	builder_ints(&b, "a", 1, axes);
	builder_node(&b, "Squeeze", "x a", "y");
	expect(&b, SHAPE(2, 3), numbers);
}

static void test_resize(void **state)
{
	static int64_t in[] = {1, 1, 2, 2};
	static int64_t count[] = {4};
	static float scales[] = {1, 1, 2, 1.5f};
	static int64_t sizes[] = {1, 1, 1, 4};
	struct builder b;

	(void)state;
	builder_init(&b, 11, 4, in);
	builder_floats(&b, "s", 1, count, scales);
	builder_node(&b, "Resize", "x - s", "y");
	builder_string(&b, "coordinate_transformation_mode", "asymmetric");
	builder_string(&b, "nearest_mode", "floor");
	expect(&b, SHAPE(1, 1, 4, 3), VALUES(1, 1, -2, 1, 1, -2, 3, 3, -4, 3, 3, -4));
	builder_init(&b, 13, 4, in);
	builder_ints(&b, "s", 4, sizes);
	builder_node(&b, "Resize", "x - - s", "y");
	expect(&b, SHAPE(1, 1, 1, 4), VALUES(1, 1, -2, -2));
	builder_init(&b, 13, 4, in);
	builder_ints(&b, "s", 4, sizes);
	builder_node(&b, "Resize", "x - - s", "y");
	builder_string(&b, "mode", "linear");
	expect(&b, SHAPE(1, 1, 1, 4), VALUES(2, 0.75f, -1.75f, -3));
	builder_init(&b, 11, 4, in);
	builder_floats(&b, "s", 1, count, scales);
	builder_node(&b, "Resize", "x - s", "y");
	builder_string(&b, "mode", "cubic");
	builder_output(&b, "y");
	support_assert_refused(&b, "node 'y' (Resize): mode 'cubic' is not supported");
}

static void test_functions(void **state)
{
	static int64_t in[] = {1, 3};
	static int64_t scalar[] = {1};
	static float low[] = {-1};
	static float high[] = {2};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 2, in);
	builder_floats(&b, "l", 1, scalar, low);
	builder_floats(&b, "h", 1, scalar, high);
	builder_node(&b, "Clip", "x l h", "y");
	expect(&b, SHAPE(1, 3), VALUES(1, -1, 2));
	builder_init(&b, 9, 2, in);
	builder_node(&b, "Clip", "x", "y");
	builder_float(&b, "max", 2);
	expect(&b, SHAPE(1, 3), VALUES(1, -2, 2));
	builder_init(&b, 13, 2, in);
	builder_node(&b, "Softmax", "x", "y");
	double sum = exp(1) + exp(-2) + exp(3);
	expect(&b, SHAPE(1, 3), VALUES((float)(exp(1) / sum), (float)(exp(-2) / sum), (float)(exp(3) / sum)));
	builder_init(&b, 13, 2, in);
	builder_node(&b, "LeakyRelu", "x", "y");
	builder_float(&b, "alpha", 0.5f);
	expect(&b, SHAPE(1, 3), VALUES(1, -1, 3));
	builder_init(&b, 13, 2, in);
	builder_node(&b, "Sigmoid", "x", "y");
	expect(&b, SHAPE(1, 3), VALUES(0.73105858f, 0.11920292f, 0.95257413f));
	builder_init(&b, 14, 2, in);
	builder_node(&b, "HardSwish", "x", "y");
	expect(&b, SHAPE(1, 3), VALUES(2.0f / 3, -1.0f / 3, 3));
}

/* Inputs from opset 10 on (Slice) and 11 on (Pad), attributes before. */
static void test_slices_and_pads(void **state)
{
	static int64_t axes[] = {-1};
	static int64_t start[] = {100};
	static int64_t end[] = {-100};
	static int64_t back[] = {-2};
	static int64_t begin[] = {1};
	static int64_t around[] = {0, 0, 0, 1, 0, 0, 1, -1};
	static int64_t far[] = {0, 0, 2, 0, 0, 0, 0, 0};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, picture);
	builder_ints(&b, "s", 1, start);
	builder_ints(&b, "e", 1, end);
	builder_ints(&b, "a", 1, axes);
	builder_ints(&b, "t", 1, back);
	builder_node(&b, "Slice", "x s e a t", "y");
	expect(&b, SHAPE(1, 1, 3, 2), VALUES(3, 1, -6, -4, 9, 7));
	builder_init(&b, 9, 4, picture);
	builder_node(&b, "Slice", "x", "y");
	builder_list(&b, "starts", 1, begin);
	builder_list(&b, "ends", 1, start);
	builder_list(&b, "axes", 1, axes);
	expect(&b, SHAPE(1, 1, 3, 2), VALUES(-2, 3, 5, -6, -8, 9));
	builder_init(&b, 9, 4, picture);
	builder_node(&b, "Pad", "x", "y");
	builder_list(&b, "pads", 8, around);
	builder_float(&b, "value", 4);
	expect(&b, SHAPE(1, 1, 4, 3), VALUES(4, 1, -2, 4, -4, 5, 4, 7, -8, 4, 4, 4));
	builder_init(&b, 11, 4, picture);
	builder_ints(&b, "p", 8, far);
	builder_node(&b, "Pad", "x p", "y");
	builder_string(&b, "mode", "reflect");
	expect(&b, SHAPE(1, 1, 5, 3), VALUES(7, -8, 9, -4, 5, -6, 1, -2, 3, -4, 5, -6, 7, -8, 9));
	builder_init(&b, 9, 4, picture);
	builder_node(&b, "Slice", "x", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);
	struct nn_session *session;
	struct error err = {0};
	assert_true(nn_session_new(&session, model, SHAPE(1, 1, 3, 3), 0, &err) < 0);
	assert_non_null(strstr(err.text, "node 'y' (Slice): starts, ends, axes and steps do not fit"));
	nn_model_free(model);
}

static void test_gathers_and_splits(void **state)
{
	static int64_t in[] = {1, 4};
	static int64_t places[] = {-1, 0, 0};
	static int64_t large[] = {2, 1, 4};
	static int64_t sizes[] = {1, 3};
	static char *outputs[] = {(char *)"first", (char *)"y"};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 2, in);
	builder_ints(&b, "i", 3, places);
	builder_node(&b, "Gather", "x i", "y");
	builder_int(&b, "axis", 1);
	expect(&b, SHAPE(1, 3), VALUES(-4, 1, 1));
	builder_init(&b, 13, 2, in);
	builder_ints(&b, "s", 3, large);
	builder_node(&b, "Expand", "x s", "y");
	expect(&b, SHAPE(2, 1, 4), VALUES(1, -2, 3, -4, 1, -2, 3, -4));
	for (int opset = 11; opset <= 13; opset += 2) {
		builder_init(&b, opset, 2, in);
		if (opset == 13)
			builder_ints(&b, "s", 2, sizes);
		builder_node(&b, "Split", opset == 13 ? "x s" : "x", "y");
		builder_int(&b, "axis", 1);
		if (opset == 11)
			builder_list(&b, "split", 2, sizes);
		b.nodes[0].n_output = 2;
		b.nodes[0].output = outputs;
		expect(&b, SHAPE(1, 3), VALUES(-2, 3, -4));
	}
}

/* Axes are an input of ReduceSum from opset 13 on, of the others from 18 on. */
static void test_reductions(void **state)
{
	static int64_t axes[] = {2, -1};
	static int64_t last[] = {3};
	struct builder b;

	(void)state;
	builder_init(&b, 13, 4, picture);
	builder_node(&b, "ReduceMean", "x", "y");
	builder_list(&b, "axes", 2, axes);
	builder_int(&b, "keepdims", 0);
	expect(&b, SHAPE(1, 1), VALUES(5.0f / 9));
	builder_init(&b, 13, 4, picture);
	builder_ints(&b, "a", 1, last);
	builder_node(&b, "ReduceSum", "x a", "y");
	expect(&b, SHAPE(1, 1, 3, 1), VALUES(2, -5, 8));
	builder_init(&b, 18, 4, picture);
	builder_ints(&b, "a", 1, last);
	builder_node(&b, "ReduceL2", "x a", "y");
	expect(&b, SHAPE(1, 1, 3, 1), VALUES(3.7416574f, 8.7749644f, 13.928388f));
	builder_init(&b, 12, 4, picture);
	builder_ints(&b, "a", 1, last);
	builder_node(&b, "ReduceMean", "x a", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);
	struct nn_session *session;
	struct error err = {0};
	assert_true(nn_session_new(&session, model, SHAPE(1, 1, 3, 3), 0, &err) < 0);
	assert_non_null(strstr(err.text, "node 'y' (ReduceMean): axes are an attribute in opset 12"));
	nn_model_free(model);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pooling),         cmocka_unit_test(test_products),
    cmocka_unit_test(test_broadcasting),    cmocka_unit_test(test_shapes),
    cmocka_unit_test(test_resize),          cmocka_unit_test(test_functions),
    cmocka_unit_test(test_slices_and_pads), cmocka_unit_test(test_gathers_and_splits),
    cmocka_unit_test(test_reductions),
};

RUN_TESTS(tests)
