#ifndef NN_OPS_PICK_H
#define NN_OPS_PICK_H

#include "nn/infer.h"
#include "nn/plan.h"

/*
 * Operators whose every output element is one of the input's, chosen axis by axis, or a fill: Slice, Split, Pad,
 * Expand, Gather. Each fills one table for each axis of the output; one loop follows the tables.
 */

/** A table's entry where the output is filled. */
#define NN_PICK_OUTSIDE (-1)

/**
 * Adds a step from `input` to `output`, shapes of one rank, and one table for each axis of the output, which the caller
 * fills: places along that axis of the input. (They begin as 0, 1, 2, …; a scalar has one axis here.)
 */
int nn_pick_add(struct nn_plan *plan, const struct nn_node *node, struct nn_shape input, struct nn_shape output,
		float fill, int64_t *tables[NN_MAX_RANK]) must_check;

/** A list of integers that is an attribute in opsets before `since` and a constant input from then on; NULL: left out.
 */
int nn_pick_list(const struct nn_graph *graph, const struct nn_node *node, const char *name, unsigned index, int since,
		 const int64_t **list, int64_t *count, struct error *err) must_check;

#endif
