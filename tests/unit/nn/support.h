#ifndef UNIT_NN_SUPPORT_H
#define UNIT_NN_SUPPORT_H

#include "../run.h"

#include "base/buffer.h"
#include "builder.h"
#include "nn/kernels/kernels.h"
#include "nn/nn.h"

/** A network to try: its file and reference tensors, and whether they are part of the repository. */
struct network {
	const char *name;
	const char *file;
	const char *reference; /**< folder with input.f32 and one file for each output */
	struct nn_shape shape; /**< of the reference input */
	bool is_embedder;
};

/** The four networks facefleet is tested with. */
extern const struct network networks[];
#define NETWORK_COUNT 4

/** False for a network that lies beside the repository where only developers have it. */
bool support_has_network(const struct network *network);

/** main() of a program whose tests may be taken out (test_func NULL) for want of what `what` says. */
int support_run_tests(struct CMUnitTest *tests, size_t count, bool (*is_possible)(const void *state), const char *what);

/** A file, or fails the test. Finish the buffer. */
struct buffer support_read(const char *path);

/** Like support_read(), as floats; `count` becomes their number. free() the result. */
float *support_floats(const char *folder, const char *name, size_t *count);

/** Loads or fails the test. */
struct nn_model *support_load(const struct network *network);
struct nn_model *support_load_for(const struct network *network, const struct nn_kernels *kernels);
struct nn_session *support_session(const struct nn_model *model, const struct nn_shape *shape);

/** Loads what a builder writes, or fails the test; finishes the builder. */
struct nn_model *support_build(struct builder *builder);

/** Loads what a builder writes, expecting an ERROR_MODEL that contains `text`; finishes the builder. */
void support_assert_refused(struct builder *builder, const char *text);

/** Runs one image through a fresh session and copies the first output; free() it. */
float *support_run(const struct nn_model *model, const struct nn_shape *shape, const float *input, size_t *count);

/** Fills with numbers from -1 to 1 that look random but are always the same. */
void support_noise(float *out, size_t count, unsigned seed);

/**
 * ONNX Runtime's sigmoid is 0.5 plus a rational function: it is right to about four steps of 2^-25,
 * whatever it is applied to. Reference tensors with nothing but tiny scores are no better than that.
 */
#define SUPPORT_REFERENCE_NOISE 1.3e-7

/** max|a − b| ≤ tolerance · max|b| (or the noise above), or fails saying where. */
void support_assert_close(const char *what, const float *a, const float *b, size_t count, double tolerance);

#endif
