#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "nn/graph.h"
#include "nn/kernels/int8.h"
#include "nn/kernels/kernels.h"

struct nn_quantisation;

struct nn_model {
	char *name; /**< for errors */
	struct nn_graph graph;
	const struct nn_kernels *kernels;
	struct nn_quantisation *quantisation; /**< NULL: runs in float32 */
};

/** nn_model_load() with kernels of the caller's choice (tests compare them). */
int nn_model_load_for(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
		      const struct nn_kernels *kernels, struct error *err) must_check;

/** nn_model_load_int8(), likewise. */
int nn_model_load_int8_for(struct nn_model **out, const char *name, const uint8_t *bytes, size_t size,
			   const char *ranges, size_t ranges_size, const struct nn_kernels *kernels,
			   const struct nn_int8_kernels *int8_kernels, struct error *err) must_check;

#endif
