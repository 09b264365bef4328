#ifndef NN_BLOCKS_H
#define NN_BLOCKS_H

#include "nn/plan.h"

/*
 * Tensors of rank 4 can lie in memory in two ways: as planes (NCHW, as outside), or in blocks of as many channels as a
 * vector of the kernels has lanes: N, blocks, H, W, channels of a block. In blocks the last one is filled up with
 * channels that nobody reads. A value may be there in either way or both; each has an identity of its own.
 */
enum nn_arrangement { NN_PLANES = false, NN_BLOCKS = true };

/** The identity of a value in blocks: what steps name as operand or output. */
uint32_t nn_plan_in_blocks(const struct nn_plan *plan, uint32_t value);

/** Shape of a value in blocks, as planes of that many channels; all zero if it cannot be in blocks. */
struct nn_shape nn_blocks_shape(const struct nn_shape *shape, int64_t lanes);

/** Blocks of all images of a tensor of rank 4. */
int64_t nn_blocks_count(const struct nn_shape *shape, int64_t lanes);

/** False where only planes are known: a plan of one node. */
bool nn_plan_may_block(const struct nn_plan *plan);

/** True if a value is there in this arrangement when the step that is compiled runs. */
bool nn_plan_has(const struct nn_plan *plan, uint32_t value, bool blocks);

/** Has a value be there in this arrangement: adds a step that rearranges it if it must. To be called before
 * nn_plan_add(). */
int nn_plan_need(struct nn_plan *plan, const struct nn_node *node, uint32_t value, bool blocks) must_check;

/** Says how an operand of a step, or its result, is arranged; planes if nothing is said. */
void nn_plan_lay_out(const struct nn_plan *plan, struct nn_step *step, unsigned operand, bool blocks);
void nn_plan_lay_out_result(const struct nn_plan *plan, struct nn_step *step, bool blocks);

#endif
