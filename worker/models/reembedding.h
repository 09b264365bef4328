#ifndef MODELS_REEMBEDDING_H
#define MODELS_REEMBEDDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "face/modelset.h"
#include "store/store.h"

/** What is to be filled, and how. */
struct reembedding {
	const struct modelset *models;
	const struct store_settings *store;
	const char *collection; /**< NULL: all */
	unsigned threads;
	void (*progress)(uint64_t added); /**< called by one of the threads after each; may be NULL */
};

/** Images that could not be filled, as text of one line each; beyond this size they are only counted. */
#define REEMBEDDING_LIST_MAX (4u << 20)

/** Zero-initialise, but for `.list = {.limit = REEMBEDDING_LIST_MAX}`; the caller finishes the list. */
struct reembedding_result {
	uint64_t added;
	uint64_t without_crop;
	uint64_t damaged;
	struct buffer list;
};

/**
 * Computes the embeddings that images lack under models->model_id from their stored crops, and goes over them again
 * until nothing is left but images without a usable crop: others may enrol meanwhile. Each embedding is a transaction
 * of its own, so it can end anywhere and be called again. Every thread has a connection of its own. Blocking; on a
 * requested stop `cancelled`.
 */
int reembedding_run(const struct reembedding *reembedding, struct reembedding_result *result,
		    struct error *err) must_check;

#endif
