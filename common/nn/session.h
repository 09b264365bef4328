#ifndef NN_SESSION_H
#define NN_SESSION_H

#include <stdbool.h>

#include "nn/plan.h"

/** Where a value is: at `base`, `per_image` floats further on for each image of a batch. */
struct nn_slot {
	float *base;
	int64_t per_image;
	bool is_bound; /**< base is `offset` floats into the session's memory, wherever that is */
	size_t offset;
};

/** An output that no step can write directly: copied at the end of each image. */
struct nn_copy {
	uint32_t value;
	unsigned output;
};

/**
 * Images of a batch run one after the other through a plan for one image: a batch gives bit for
 * bit what single runs give, whatever batch size the file's Reshapes were exported for, and the
 * working memory of one image stays in the cache. (A file with a fixed batch D > 1 is planned for D.)
 */
struct nn_session {
	const struct nn_model *model;
	struct nn_graph graph; /**< the model's; its values are our own, with the constants that follow from shapes */
	struct nn_plan plan;
	struct nn_shape *shapes; /**< of all values, for one image */
	struct nn_slot *slots;   /**< of all values */
	struct nn_slot *outputs; /**< of the graph */
	struct nn_copy *copies;
	unsigned copy_count;
	const float **operands;         /**< of the step that runs */
	struct nn_workspace *workspace; /**< where its memory is */
	bool owns_workspace;
	float *scratch;
	size_t scratch_offset; /**< floats into the memory */
	int images;            /**< the most that fit; with a fixed batch 1 */
	int ran;               /**< images of the last run */
	size_t size;           /**< bytes of memory it needs */
};

/** Puts everything the session computes into `memory`, of at least session->size bytes. */
void nn_session_bind(struct nn_session *session, float *memory);

/** Runs step `index` for one image (benchmarks time it alone). */
void nn_session_run_step(struct nn_session *session, unsigned index, int image);

#endif
