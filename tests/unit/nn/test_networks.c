/* The networks facefleet is tested with, whole: against reference tensors, in batches, at other sizes. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_outputs(const struct network *network, const struct nn_model *model,
			   const struct nn_session *session)
{
	for (unsigned i = 0; i < nn_model_output_count(model); i++) {
		const char *name = nn_model_output_name(model, i);
		struct nn_shape shape;
		size_t count;
		const float *got = nn_session_output(session, i, &shape);
		float *expected = support_floats(network->reference, name, &count);

		assert_int_equal(count, nn_shape_count(&shape));
		support_assert_close(name, got, expected, count, 1e-4);
		free(expected);
	}
}

static void assert_reference(const struct network *network, const struct nn_kernels *kernels)
{
	struct nn_model *model = support_load_for(network, kernels);
	struct nn_session *session = support_session(model, &network->shape);
	size_t count;
	float *input = support_floats(network->reference, "input", &count);

	assert_int_equal(count, nn_shape_count(&network->shape));
	memcpy(nn_session_input(session), input, count * sizeof(float));
	free(input);
	nn_session_run(session, 1);
	assert_outputs(network, model, session);
	nn_session_free(session);
	nn_model_free(model);
}

static void test_reference(void **state)
{
	assert_reference(*state, nn_kernels_best());
}

static void test_reference_portable(void **state)
{
	assert_reference(*state, nn_kernels_named("portable"));
}

/* Three different images at once give bit for bit what each gives alone; so does a smaller batch. */
static void test_batch(void **state)
{
	enum { BATCH = 3 };
	const struct network *network = *state;
	struct nn_model *model = support_load(network);
	struct nn_shape shape = network->shape;
	struct nn_session *single = support_session(model, &shape);
	shape.dim[0] = BATCH;
	struct nn_session *batched = support_session(model, &shape);
	size_t count = (size_t)nn_shape_count(&network->shape);

	support_noise(nn_session_input(batched), BATCH * count, 1);
	for (int batch = BATCH; batch > 0; batch--) {
		nn_session_run(batched, batch);
		for (int image = 0; image < batch; image++) {
			memcpy(nn_session_input(single), nn_session_input(batched) + (size_t)image * count,
			       count * sizeof(float));
			nn_session_run(single, 1);
			for (unsigned i = 0; i < nn_model_output_count(model); i++) {
				struct nn_shape one;
				struct nn_shape all;
				const float *alone = nn_session_output(single, i, &one);
				const float *together = nn_session_output(batched, i, &all);
				size_t size = (size_t)nn_shape_count(&one);

				assert_int_equal(one.dim[0], 1);
				assert_int_equal(all.dim[0], batch);
				assert_memory_equal(alone, together + (size_t)image * size, size * sizeof(float));
			}
		}
	}
	nn_session_free(single);
	nn_session_free(batched);
	nn_model_free(model);
}

/*
 * A fixed input size can be changed: all outputs get as many rows as the new size has cells. A
 * picture in the corner of a larger, empty one is seen as before where the window's reach ends inside.
 */
static void test_other_sizes(void **state)
{
	const struct network *network = *state;
	struct nn_model *model = support_load(network);
	static const struct nn_shape sizes[] = {
	    {.rank = 4, .dim = {1, 3, 320, 320}},
	    {.rank = 4, .dim = {1, 3, 160, 128}},
	    {.rank = 4, .dim = {1, 3, 32, 32}},
	};

	for (size_t k = 0; k < array_size(sizes); k++) {
		struct nn_session *session = support_session(model, &sizes[k]);

		support_noise(nn_session_input(session), (size_t)nn_shape_count(&sizes[k]), 2);
		nn_session_run(session, 1);
		for (int stride = 8; stride <= 32; stride *= 2) {
			char name[16];
			struct nn_shape shape;

			snprintf(name, sizeof(name), "bbox_%d", stride);
			nn_session_output(session, (unsigned)nn_model_find_output(model, name), &shape);
			assert_int_equal(shape.rank, 3);
			assert_int_equal(shape.dim[0], 1);
			assert_int_equal(shape.dim[1], sizes[k].dim[2] * sizes[k].dim[3] / (stride * stride));
			assert_int_equal(shape.dim[2], 4);
		}
		nn_session_free(session);
	}
	nn_model_free(model);
}

#define ALL_NETWORKS(test)                                                                                             \
	{#test " (default detector)", test, NULL, NULL, (void *)&networks[0]},                                         \
	    {#test " (default embedder)", test, NULL, NULL, (void *)&networks[1]},                                     \
	    {#test " (yunet)", test, NULL, NULL, (void *)&networks[2]},                                                \
	{                                                                                                              \
#test " (mobilefacenet)", test, NULL, NULL, (void *)&networks[3]                                       \
	}

static const struct CMUnitTest tests[] = {
    ALL_NETWORKS(test_reference),
    ALL_NETWORKS(test_reference_portable),
    ALL_NETWORKS(test_batch),
    {"test_other_sizes (default detector)", test_other_sizes, NULL, NULL, (void *)&networks[0]},
    {"test_other_sizes (yunet)", test_other_sizes, NULL, NULL, (void *)&networks[2]},
};

RUN_TESTS(tests)
