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

/* A fixed input size can be changed: every output gets as many rows as the new size has cells. */
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

/* Runs an image whose top left corner does not depend on its size. */
static struct nn_session *run_corner(const struct nn_model *model, int64_t side)
{
	struct nn_shape shape = {.rank = 4, .dim = {1, 3, side, side}};
	struct nn_session *session = support_session(model, &shape);
	float *input = nn_session_input(session);

	for (int64_t c = 0; c < 3; c++) {
		for (int64_t y = 0; y < side; y++) {
			for (int64_t x = 0; x < side; x++)
				*input++ = (float)((x * 7 + y * 13 + c * 29) % 256);
		}
	}
	nn_session_run(session, 1);
	return session;
}

/* What a detector says of a corner is the same in a smaller and a larger picture, far from where they differ. */
static void test_same_corner(void **state)
{
	enum { SMALL = 480, LARGE = 640, CELLS = 8 };
	struct nn_model *model = support_load(*state);
	unsigned boxes = (unsigned)nn_model_find_output(model, "bbox_8");
	struct nn_session *small = run_corner(model, SMALL);
	struct nn_session *large = run_corner(model, LARGE);

	for (size_t row = 0; row < CELLS; row++)
		support_assert_close("bbox_8", nn_session_output(small, boxes, NULL) + row * (SMALL / 8) * 4,
				     nn_session_output(large, boxes, NULL) + row * (LARGE / 8) * 4, CELLS * 4, 1e-5);
	nn_session_free(small);
	nn_session_free(large);
	nn_model_free(model);
}

/* clang-format off */
#define WITH(test, index, name) {#test " (" name ")", test, NULL, NULL, (void *)&networks[index]}
#define WITH_ALL(test) \
	WITH(test, 0, "default detector"), WITH(test, 1, "default embedder"), \
	WITH(test, 2, "yunet"), WITH(test, 3, "mobilefacenet")
/* clang-format on */

static struct CMUnitTest tests[] = {
    WITH_ALL(test_reference),
    WITH_ALL(test_reference_portable),
    WITH_ALL(test_batch),
    WITH(test_other_sizes, 0, "default detector"),
    WITH(test_other_sizes, 2, "yunet"),
    WITH(test_same_corner, 0, "default detector"),
    WITH(test_same_corner, 2, "yunet"),
};

static bool has_network(const void *network)
{
	return support_has_network(network);
}

int main(void)
{
	return support_run_tests(tests, array_size(tests), has_network, "the network is not beside the repository");
}
