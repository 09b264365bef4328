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

struct buffer support_read(const char *path)
{
	struct buffer content = {0};
	struct error err = {0};

	if (strncmp(path, BESIDE, strlen(BESIDE)) == 0 && access(path, R_OK) != 0)
		skip();
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
