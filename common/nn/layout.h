#ifndef NN_LAYOUT_H
#define NN_LAYOUT_H

#include "base/error.h"

struct nn_session;

/**
 * Decides where in the session's memory every value of a compiled session lives: input and outputs
 * for the whole batch, one arena in which values that are not needed at the same time share room, and
 * working memory. Allocates none of it. ERROR_MODEL above `max_bytes`.
 */
int nn_layout(struct nn_session *session, size_t max_bytes, struct error *err) must_check;

#endif
