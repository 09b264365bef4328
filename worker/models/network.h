#ifndef MODELS_NETWORK_H
#define MODELS_NETWORK_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "nn/nn.h"

/** What a network costs for one picture. */
struct network_cost {
	uint64_t macs; /**< multiply-adds */
	double ms;     /**< the best of several runs on one thread; 0: it was not run */
};

/** Plans the network for one picture of width × height and, with `runs` > 0, times it on grey. ERROR_MODEL if it
 * cannot. */
int network_measure(const struct nn_model *model, int width, int height, int runs, struct network_cost *cost,
		    struct error *err) must_check;

/** Appends "Conv 34, PRelu 12": what is left of the file's operators after loading, by falling number. 0 or -errno. */
int network_operators(const struct nn_model *model, struct buffer *out) must_check;

#endif
