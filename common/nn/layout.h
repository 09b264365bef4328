#ifndef NN_LAYOUT_H
#define NN_LAYOUT_H

#include "base/error.h"

struct nn_session;

/**
 * Decides where every value of a compiled session lives and allocates all of its memory at once:
 * input and outputs for the whole batch, one arena in which values that are not needed at the same time
 * share room, and working memory. ERROR_MODEL above `max_bytes`, before anything is allocated.
 */
int nn_layout(struct nn_session *session, size_t max_bytes, struct error *err) must_check;

#endif
