#ifndef NN_OPS_QUANTISED_CONV_H
#define NN_OPS_QUANTISED_CONV_H

#include "nn/plan.h"

/** Adds the 8-bit step of a convolution that nn_quantise_plan() chose. */
int nn_quantised_conv_compile(struct nn_plan *plan, const struct nn_node *node) must_check;

#endif
