#ifndef FACE_EMBEDDER_H
#define FACE_EMBEDDER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "face/modelset.h"

/** Turns aligned faces into embeddings, several in one run. One thread at a time. */
struct embedder;

/** Plans for up to `batch` faces a run. The model set outlives the embedder. */
int embedder_new(struct embedder **out, const struct modelset *set, int batch, struct error *err) must_check;
void embedder_free(struct embedder *embedder);

/** Puts an aligned face (RGB, of the size the model set names) into place `index` of the next run. */
void embedder_put(struct embedder *embedder, int index, const uint8_t *crop);

/** Embeds the first `count` faces. */
void embedder_run(struct embedder *embedder, int count);

/** Copies the L2-normalised result for `index`. `internal` if the network gave no direction (zero, not finite). */
int embedder_get(const struct embedder *embedder, int index, float *embedding, struct error *err) must_check;

#endif
