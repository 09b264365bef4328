/* Limits, batches and threads of sessions. */
#include "support.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nn/session.h"

static float weights[4 * 3 * 3 * 3];
static int64_t weight_dims[] = {4, 3, 3, 3};
static int64_t flat[] = {1, -1};
static int64_t stride[] = {2, 2};

/* Conv, Relu and a Reshape to one row, exported for the batch size given. */
static struct nn_model *small_network(int64_t batch, int64_t rows)
{
	int64_t dims[] = {batch, 3, 16, 16};
	struct builder b;

	support_noise(weights, array_size(weights), 3);
	flat[0] = rows;
	builder_init(&b, 13, 4, dims);
	builder_floats(&b, "w", 4, weight_dims, weights);
	builder_ints(&b, "rows", 2, flat);
	builder_node(&b, "Conv", "x w", "c");
	builder_list(&b, "strides", 2, stride);
	builder_node(&b, "Relu", "c", "r");
	builder_node(&b, "Reshape", "r rows", "y");
	builder_output(&b, "y");
	return support_build(&b);
}

static void assert_not_possible(const struct nn_model *model, struct nn_shape shape, size_t max_bytes, const char *text)
{
	struct nn_session *session = NULL;
	struct error err = {0};

	assert_true(nn_session_new(&session, model, &shape, max_bytes, &err) < 0);
	assert_null(session);
	assert_int_equal(err.code, ERROR_MODEL);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

static void test_limits(void **state)
{
	struct nn_model *model = small_network(1, 1);

	(void)state;
	assert_not_possible(model, (struct nn_shape){.rank = 3, .dim = {3, 16, 16}}, 0, "rank 4");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, 0, 16}}, 0, "empty input");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, -1, 16}}, 0, "does not fit");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 4, 16, 16}}, 0, "(Conv)");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, 2, 2}}, 0,
			    "larger than the padded input");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {100000, 3, 16, 16}}, 0, "at most");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, 40000, 40000}}, 0, "than the session");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, 16, 16}}, 4000, "more than 4000 bytes");
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {500, 3, 16, 16}}, 100000, "more than 100000");
	nn_model_free(model);
	nn_session_free(NULL);
}

/* A Reshape to [1, -1], as it is exported for one image, does not mix the images of a batch. */
static void test_leading_one(void **state)
{
	struct nn_model *model = small_network(1, 1);
	struct nn_session *session = support_session(model, &(struct nn_shape){.rank = 4, .dim = {3, 3, 16, 16}});
	struct nn_shape shape;
	size_t image = 3 * 16 * 16;
	size_t count;

	(void)state;
	support_noise(nn_session_input(session), 3 * image, 8);
	nn_session_run(session, 3);
	const float *all = nn_session_output(session, 0, &shape);
	assert_int_equal(shape.rank, 2);
	assert_int_equal(shape.dim[0], 3);
	assert_int_equal(shape.dim[1], 4 * 7 * 7);
	for (size_t i = 0; i < 3; i++) {
		float *alone = support_run(model, &(struct nn_shape){.rank = 4, .dim = {1, 3, 16, 16}},
					   nn_session_input(session) + i * image, &count);

		assert_int_equal(count, shape.dim[1]);
		assert_memory_equal(alone, all + i * count, count * sizeof(float));
		free(alone);
	}
	nn_session_free(session);
	nn_model_free(model);
}

/* A file exported for a batch of two works with two only: its Reshape would tear one image apart. */
static void test_fixed_batch(void **state)
{
	struct nn_model *model = small_network(2, 2);
	struct nn_session *session = support_session(model, &(struct nn_shape){.rank = 4, .dim = {2, 3, 16, 16}});
	struct nn_shape shape;

	(void)state;
	nn_session_run(session, 2);
	nn_session_output(session, 0, &shape);
	assert_int_equal(shape.dim[0], 2);
	assert_int_equal(shape.dim[1], 4 * 7 * 7);
	nn_session_free(session);
	assert_not_possible(model, (struct nn_shape){.rank = 4, .dim = {1, 3, 16, 16}}, 0, "batches of exactly 2");
	nn_model_free(model);
}

/* Outputs that no step writes: the input itself, a constant, and the same value twice. */
static void test_odd_outputs(void **state)
{
	static float constant[] = {7, 8};
	static int64_t two[] = {2};
	int64_t dims[] = {1, 3};
	struct builder b;
	struct nn_shape shape;

	(void)state;
	builder_init(&b, 13, 2, dims);
	builder_floats(&b, "k", 1, two, constant);
	builder_node(&b, "Neg", "x", "n");
	builder_node(&b, "Flatten", "n", "f");
	builder_output(&b, "x");
	builder_output(&b, "k");
	builder_output(&b, "n");
	builder_output(&b, "f");
	struct nn_model *model = support_build(&b);
	struct nn_session *session = support_session(model, &(struct nn_shape){.rank = 2, .dim = {2, 3}});
	for (int i = 0; i < 6; i++)
		nn_session_input(session)[i] = (float)i;
	nn_session_run(session, 2);
	for (int i = 0; i < 6; i++) {
		assert_true(nn_session_output(session, 0, NULL)[i] == (float)i);
		assert_true(nn_session_output(session, 2, NULL)[i] == (float)-i);
		assert_true(nn_session_output(session, 3, NULL)[i] == (float)-i);
	}
	const float *k = nn_session_output(session, 1, &shape);
	assert_int_equal(shape.dim[0], 4);
	for (int i = 0; i < 4; i++)
		assert_true(k[i] == constant[i % 2]);
	nn_session_free(session);
	nn_model_free(model);
}

/* Sessions that take turns in one workspace, which grows under the first, give what they give alone. */
static void test_workspace(void **state)
{
	static const int sides[] = {16, 40, 24};
	struct nn_model *model = small_network(1, 1);
	struct nn_workspace *workspace = NULL;
	struct nn_session *sessions[3];
	struct error err = {0};

	(void)state;
	assert_int_equal(nn_workspace_new(&workspace, &err), 0);
	for (int i = 0; i < 3; i++) {
		struct nn_shape shape = {.rank = 4, .dim = {1, 3, sides[i], sides[i]}};
		assert_int_equal(nn_session_new_in(&sessions[i], model, &shape, 0, workspace, &err), 0);
	}
	assert_ptr_equal(nn_session_input(sessions[0]), nn_session_input(sessions[1]));
	for (int turn = 0; turn < 6; turn++) {
		struct nn_session *session = sessions[turn % 3];
		int side = sides[turn % 3];
		struct nn_shape shape = {.rank = 4, .dim = {1, 3, side, side}};
		size_t size = 3 * (size_t)side * (size_t)side;
		float *input = malloc(size * sizeof(float));
		size_t count;

		assert_non_null(input);
		support_noise(input, size, (unsigned)turn);
		memcpy(nn_session_input(session), input, size * sizeof(float));
		nn_session_run(session, 1);
		float *alone = support_run(model, &shape, input, &count);
		assert_memory_equal(alone, nn_session_output(session, 0, NULL), count * sizeof(float));
		free(alone);
		free(input);
	}
	for (int i = 2; i >= 0; i--)
		nn_session_free(sessions[i]);
	nn_workspace_free(workspace);
	nn_workspace_free(NULL);
	nn_model_free(model);
}

static void test_runs_without_allocating(void **state)
{
	struct nn_model *model = support_load(*state);
	struct nn_session *session = support_session(model, &((const struct network *)*state)->shape);
	struct mallinfo2 before = mallinfo2();

	nn_session_run(session, 1);
	struct mallinfo2 after = mallinfo2();
	assert_int_equal(before.uordblks, after.uordblks);
	assert_int_equal(before.hblks, after.hblks);
	assert_int_equal(before.arena, after.arena);
	nn_session_free(session);
	nn_model_free(model);
}

struct worker {
	pthread_t thread;
	const struct nn_model *model;
	const struct network *network;
	const float *input;
	const float *expected;
	int wrong;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct nn_session *session = support_session(w->model, &w->network->shape);
	struct nn_shape shape;
	const float *output = nn_session_output(session, 0, &shape);
	size_t size = (size_t)nn_shape_count(&w->network->shape) * sizeof(float);

	for (int i = 0; i < 20; i++) {
		memcpy(nn_session_input(session), w->input, size);
		nn_session_run(session, 1);
		nn_session_output(session, 0, &shape);
		w->wrong += memcmp(output, w->expected, (size_t)nn_shape_count(&shape) * sizeof(float)) != 0;
	}
	nn_session_free(session);
	return NULL;
}

/* Sessions of one model on several threads give bit for bit what one gives alone. */
static void test_threads(void **state)
{
	enum { THREADS = 4 };
	const struct network *network = *state;
	struct nn_model *model = support_load(network);
	size_t input_count = (size_t)nn_shape_count(&network->shape);
	float *input = malloc(input_count * sizeof(float));
	struct worker workers[THREADS];
	size_t count;

	support_noise(input, input_count, 9);
	float *expected = support_run(model, &network->shape, input, &count);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.model = model, .network = network, .input = input, .expected = expected};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
	}
	free(expected);
	free(input);
	nn_model_free(model);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_limits),
    cmocka_unit_test(test_leading_one),
    cmocka_unit_test(test_fixed_batch),
    cmocka_unit_test(test_odd_outputs),
    cmocka_unit_test(test_workspace),
    {"test_runs_without_allocating", test_runs_without_allocating, NULL, NULL, (void *)&networks[1]},
    {"test_threads", test_threads, NULL, NULL, (void *)&networks[1]},
};

RUN_TESTS(tests)
