#ifndef MODELS_EVALUATION_H
#define MODELS_EVALUATION_H

#include "base/compiler.h"
#include "base/error.h"
#include "face/image.h"
#include "face/modelset.h"
#include "pairs.h"
#include "roc.h"

/** What is to be compared, and how. */
struct evaluation {
	const struct modelset *models;
	const struct pairs *pairs;
	const char *folder; /**< of relative image paths */
	struct image_limits limits;
	unsigned threads;
	void (*progress)(size_t done, size_t of); /**< called by one of the threads; may be NULL */
};

/**
 * Compares every pair (largest face of each photograph) into `scores`, one for each pair. A photograph that cannot be
 * read, or has no face, makes its pair a failed one; up to five of them are named on standard error. Blocking; on a
 * requested stop `cancelled`.
 */
int evaluation_run(const struct evaluation *evaluation, struct roc_pair *scores, struct error *err) must_check;

#endif
