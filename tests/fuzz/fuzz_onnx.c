/* Any bytes as a network: loading, planning at a small size and running must neither crash nor grow. */

#include <string.h>

#include "nn/nn.h"
#include "nn/session.h"

#define MAX_BYTES ((size_t)8 << 20)
#define MAX_WORK ((uint64_t)20000000)

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static uint64_t work_of(const struct nn_session *session)
{
	uint64_t work = 0;

	for (unsigned i = 0; i < session->plan.step_count; i++)
		work += session->plan.steps[i].macs;
	return work;
}

static void run(const struct nn_model *model)
{
	struct nn_shape shape = *nn_model_input_shape(model, 0);
	struct nn_session *session;
	struct error err;

	for (int i = 0; i < shape.rank; i++)
		shape.dim[i] = shape.dim[i] > 0 ? shape.dim[i] : i < 2 ? 2 : 32;
	if (nn_session_new(&session, model, &shape, MAX_BYTES, &err) < 0)
		return;
	if (work_of(session) < MAX_WORK) {
		float *input = nn_session_input(session);

		for (int64_t i = 0; i < nn_shape_count(&shape); i++)
			input[i] = (float)(i % 17) - 8;
		nn_session_run(session, shape.rank > 0 ? (int)shape.dim[0] : 1);
		for (unsigned i = 0; i < nn_model_output_count(model); i++)
			nn_session_output(session, i, &shape);
	}
	nn_session_free(session);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct nn_model *model;
	struct error err;

	if (nn_model_load(&model, "fuzz", data, size, &err) < 0)
		return 0;
	if (nn_model_input_count(model) == 1)
		run(model);
	nn_model_free(model);
	return 0;
}
