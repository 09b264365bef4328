/* Arithmetic on shapes, done when a session is planned. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "nn/session.h"

static int64_t open_dims[] = {1, 3, -1, -1};
static int64_t minus_one[] = {-1};
static int64_t two[] = {2};
static int64_t first_two[] = {0, 1};
static int64_t huge[] = {INT64_C(1) << 40};
static const struct nn_shape small = {.rank = 4, .dim = {1, 3, 4, 6}};
static const struct nn_shape large = {.rank = 4, .dim = {1, 3, 8, 2}};

static void init(struct builder *b)
{
	builder_init(b, 13, 4, open_dims);
	builder_ints(b, "-1", 1, minus_one);
	builder_ints(b, "2", 1, two);
	builder_ints(b, "01", 2, first_two);
}

static void assert_output(const struct nn_model *model, const struct nn_shape *input, const struct nn_shape *expected)
{
	struct nn_session *session = support_session(model, input);
	struct nn_shape shape;
	size_t count = (size_t)nn_shape_count(input);

	support_noise(nn_session_input(session), count, 3);
	nn_session_run(session, 1);
	const float *got = nn_session_output(session, 0, &shape);
	assert_true(nn_shape_equal(&shape, expected));
	assert_memory_equal(got, nn_session_input(session), count * sizeof(float));
	nn_session_free(session);
}

/* What exporters write for "flatten all but the first two axes". */
static void test_reshape_by_the_shape_of_the_input(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "Gather", "s 01", "kept");
	builder_node(&b, "Cast", "kept", "cast");
	builder_int(&b, "to", 7);
	builder_node(&b, "Concat", "cast -1", "wanted");
	builder_int(&b, "axis", 0);
	builder_node(&b, "Reshape", "x wanted", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);

	/* One model, two sizes: what follows from the shape belongs to the session. */
	assert_output(model, &small, &(struct nn_shape){.rank = 3, .dim = {1, 3, 24}});
	assert_output(model, &large, &(struct nn_shape){.rank = 3, .dim = {1, 3, 16}});
	nn_model_free(model);
}

static void test_arithmetic_rounds_towards_zero(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "Gather", "s 2", "height");  /* 4 or 8 */
	builder_node(&b, "Sub", "height -1", "more"); /* 5 or 9 */
	builder_node(&b, "Div", "more 2", "half");    /* 2 or 4 */
	builder_node(&b, "Concat", "half -1", "wanted");
	builder_int(&b, "axis", 0);
	builder_node(&b, "Reshape", "x wanted", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);

	assert_output(model, &small, &(struct nn_shape){.rank = 2, .dim = {2, 36}});
	assert_output(model, &large, &(struct nn_shape){.rank = 2, .dim = {4, 12}});
	nn_model_free(model);
}

static void test_constant_of_a_shape_is_added(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "ConstantOfShape", "s", "zeros");
	builder_node(&b, "Add", "x zeros", "y");
	builder_output(&b, "y");
	struct nn_model *model = support_build(&b);

	assert_output(model, &small, &small);
	nn_model_free(model);
}

/* The file loads; what it asks for is seen when the shape is known. */
static void assert_not_planned(struct builder *b, const char *text)
{
	struct nn_model *model = support_build(b);
	struct nn_session *session = NULL;
	struct error err = {0};

	assert_true(nn_session_new(&session, model, &small, 0, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
	nn_model_free(model);
}

static void test_refused(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_node(&b, "Shape", "x", "y");
	builder_output(&b, "y");
	assert_not_planned(&b, "output 0 has integers");

	init(&b);
	builder_node(&b, "Cast", "x", "y");
	builder_int(&b, "to", 7);
	builder_output(&b, "y");
	assert_not_planned(&b, "must follow from shapes and constants");

	init(&b);
	builder_node(&b, "Cast", "x", "y");
	builder_int(&b, "to", 10);
	builder_output(&b, "y");
	support_assert_refused(&b, "to is type 10");

	init(&b);
	builder_ints(&b, "huge", 1, huge);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "Add", "s huge", "wanted");
	builder_node(&b, "ConstantOfShape", "wanted", "y");
	builder_output(&b, "y");
	assert_not_planned(&b, "only up to 16777216");

	init(&b);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "Mul", "s s", "squares");
	builder_node(&b, "Mul", "squares squares", "wanted");
	builder_node(&b, "ConstantOfShape", "wanted", "y");
	builder_output(&b, "y");
	assert_not_planned(&b, "impossible shape");
}

static void test_weights_must_be_known_at_load(void **state)
{
	struct builder b;

	(void)state;
	init(&b);
	builder_node(&b, "Shape", "x", "s");
	builder_node(&b, "ConstantOfShape", "s", "w");
	builder_node(&b, "Conv", "x w", "y");
	builder_output(&b, "y");
	assert_not_planned(&b, "input 1 depends on the shape of the network's input");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_reshape_by_the_shape_of_the_input), cmocka_unit_test(test_arithmetic_rounds_towards_zero),
    cmocka_unit_test(test_constant_of_a_shape_is_added),      cmocka_unit_test(test_refused),
    cmocka_unit_test(test_weights_must_be_known_at_load),
};
RUN_TESTS(tests)
