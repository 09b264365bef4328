#include "face/embedder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "face/normalise.h"
#include "nn/nn.h"

struct embedder {
	const struct embedder_spec *spec;
	struct nn_session *session;
	int batch;
};

int embedder_new(struct embedder **out, const struct modelset *set, int batch, struct error *err)
{
	struct nn_shape shape = {.rank = 4, .dim = {batch, 3, set->embedder.height, set->embedder.width}};
	struct embedder *e = calloc(1, sizeof(*e));

	if (!e)
		return error_set(err, ERROR_INTERNAL, "no memory for an embedder");
	e->spec = &set->embedder;
	e->batch = batch;
	int rc = nn_session_new(&e->session, set->embedder_model, &shape, 0, err);
	if (rc) {
		embedder_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void embedder_free(struct embedder *embedder)
{
	if (!embedder)
		return;
	nn_session_free(embedder->session);
	free(embedder);
}

void embedder_put(struct embedder *embedder, int index, const uint8_t *crop)
{
	const struct embedder_spec *spec = embedder->spec;
	struct placement whole = {.width = spec->width, .height = spec->height};
	size_t values = (size_t)3 * spec->width * spec->height;

	assert(index >= 0 && index < embedder->batch);
	normalise_frame(&spec->norm, crop, &whole, nn_session_input(embedder->session) + index * values, spec->width,
			spec->height);
}

void embedder_run(struct embedder *embedder, int count)
{
	nn_session_run(embedder->session, count);
}

int embedder_get(const struct embedder *embedder, int index, float *embedding, struct error *err)
{
	int dimension = embedder->spec->dimension;
	const float *raw = nn_session_output(embedder->session, 0, NULL) + (size_t)index * dimension;
	double square = 0;

	for (int i = 0; i < dimension; i++)
		square += (double)raw[i] * raw[i];
	if (!(isfinite(square) && square > 0))
		return error_set(err, ERROR_INTERNAL, "the embedder %s gave no usable vector", embedder->spec->name);

	float factor = (float)(1 / sqrt(square));
	for (int i = 0; i < dimension; i++)
		embedding[i] = raw[i] * factor;
	return 0;
}
