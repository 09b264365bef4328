#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/model.h"

/* SOURCE_ROOT is defined by the build. What lies beside the repository is only there for developers. */
#define DEFAULT_SET SOURCE_ROOT "/deploy/models/default"
#define BESIDE SOURCE_ROOT "/../shared/models"
#define DATA SOURCE_ROOT "/tests/data/reference"

const struct network networks[NETWORK_COUNT] = {
    {
	.name = "default detector",
	.file = DEFAULT_SET "/detector/detector.onnx",
	.reference = DATA "/default-detector",
	.shape = {.rank = 4, .dim = {1, 3, 160, 160}},
    },
    {
	.name = "default embedder",
	.file = DEFAULT_SET "/embedder/embedder.onnx",
	.reference = DATA "/default-embedder",
	.shape = {.rank = 4, .dim = {1, 3, 112, 112}},
	.is_embedder = true,
    },
    {
	.name = "yunet",
	.file = BESIDE "/yunet/face_detection_yunet_2023mar.onnx",
	.reference = BESIDE "/yunet/reference",
	.shape = {.rank = 4, .dim = {1, 3, 640, 640}},
    },
    {
	.name = "mobilefacenet",
	.file = BESIDE "/mobilefacenet/mobilefacenet.onnx",
	.reference = BESIDE "/mobilefacenet/reference",
	.shape = {.rank = 4, .dim = {1, 3, 112, 112}},
	.is_embedder = true,
    },
};

bool support_has_network(const struct network *network)
{
	return strncmp(network->file, BESIDE, strlen(BESIDE)) != 0 || access(network->file, R_OK) == 0;
}

int support_run_tests(struct CMUnitTest *tests, size_t count, bool (*is_possible)(const void *state), const char *what)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	for (size_t i = 0; i < count; i++) {
		if (is_possible(tests[i].initial_state))
			continue;
		/* cmocka's own skip() counts as a failure in TAP. */
		printf("# left out: %s: %s\n", tests[i].name, what);
		tests[i].test_func = NULL;
	}
	return _cmocka_run_group_tests("tests", tests, count, NULL, NULL);
}

struct buffer support_read(const char *path)
{
	struct buffer content = {0};
	struct error err = {0};

	if (buffer_read_file(&content, path, (size_t)1 << 30, &err) < 0)
		fail_msg("%s", err.text);
	return content;
}

float *support_floats(const char *folder, const char *name, size_t *count)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.f32", folder, name);
	struct buffer content = support_read(path);
	*count = content.size / sizeof(float);
	return (float *)buffer_steal(&content);
}

struct nn_model *support_load_for(const struct network *network, const struct nn_kernels *kernels)
{
	struct buffer content = support_read(network->file);
	struct nn_model *model = NULL;
	struct error err = {0};

	if (nn_model_load_for(&model, network->name, content.data, content.size, kernels, &err) < 0)
		fail_msg("%s", err.text);
	buffer_finish(&content);
	return model;
}

struct nn_model *support_load(const struct network *network)
{
	return support_load_for(network, nn_kernels_best());
}

struct nn_session *support_session(const struct nn_model *model, const struct nn_shape *shape)
{
	struct nn_session *session = NULL;
	struct error err = {0};

	if (nn_session_new(&session, model, shape, 0, &err) < 0)
		fail_msg("%s", err.text);
	return session;
}

struct nn_model *support_build(struct builder *builder)
{
	struct buffer file = builder_write(builder);
	struct nn_model *model = NULL;
	struct error err = {0};

	if (nn_model_load(&model, "built", file.data, file.size, &err) < 0)
		fail_msg("%s", err.text);
	buffer_finish(&file);
	builder_finish(builder);
	return model;
}

void support_assert_refused(struct builder *builder, const char *text)
{
	struct buffer file = builder_write(builder);
	struct nn_model *model = NULL;
	struct error err = {0};

	assert_true(nn_model_load(&model, "built", file.data, file.size, &err) < 0);
	assert_null(model);
	assert_int_equal(err.code, ERROR_MODEL);
	assert_int_equal(err.class, ERROR_CLASS_FATAL);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
	buffer_finish(&file);
	builder_finish(builder);
}

float *support_run(const struct nn_model *model, const struct nn_shape *shape, const float *input, size_t *count)
{
	struct nn_session *session = support_session(model, shape);
	struct nn_shape out;

	memcpy(nn_session_input(session), input, (size_t)nn_shape_count(shape) * sizeof(float));
	nn_session_run(session, (int)shape->dim[0]);
	const float *result = nn_session_output(session, 0, &out);
	*count = (size_t)nn_shape_count(&out);
	float *copy = malloc((*count + 1) * sizeof(float));
	memcpy(copy, result, *count * sizeof(float));
	nn_session_free(session);
	return copy;
}

void support_noise(float *out, size_t count, unsigned seed)
{
	unsigned state = seed * 2654435761u + 1;

	for (size_t i = 0; i < count; i++) {
		state = state * 1664525u + 1013904223u;
		out[i] = (float)(state >> 8) / (1 << 23) - 1;
	}
}

void support_assert_close(const char *what, const float *a, const float *b, size_t count, double tolerance)
{
	double largest = 0;
	double worst = 0;
	size_t where = 0;

	for (size_t i = 0; i < count; i++) {
		double difference = fabs((double)a[i] - (double)b[i]);

		if (!(difference <= worst)) {
			worst = difference;
			where = i;
		}
		largest = fmax(largest, fabs((double)b[i]));
	}
	if (!(worst <= fmax(tolerance * largest, SUPPORT_REFERENCE_NOISE)))
		fail_msg("%s: differs by %g at %zu of %zu (%g, expected %g); the largest is %g", what, worst, where,
			 count, (double)a[where], (double)b[where], largest);
}
