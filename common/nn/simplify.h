#ifndef NN_SIMPLIFY_H
#define NN_SIMPLIFY_H

#include "nn/graph.h"
#include "nn/kernels/kernels.h"

/**
 * Makes a loaded graph smaller without changing what it computes, as far as that needs no input
 * shape: drops Identity and Dropout, computes what depends on constants only, folds
 * BatchNormalization into the convolution before it and a Mul by one number into the one behind it, and drops nodes
 * that nobody reads. Then each remaining node prepares its weights, and weights kept in another form only are released.
 */
int nn_simplify(struct nn_graph *graph, const struct nn_kernels *kernels, struct error *err) must_check;

/** Frees constants that no node reads any more, or reads only in the form it has packed. The last step of loading. */
void nn_release_constants(struct nn_graph *graph);

#endif
