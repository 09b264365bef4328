#ifndef NN_WORKSPACE_H
#define NN_WORKSPACE_H

#include <stddef.h>

#include "base/compiler.h"
#include "nn/nn.h"

struct nn_session;

/* For session.c: how sessions live in a workspace. */

/** Gives `session` the first session->size bytes of the workspace, which grows if need be. Returns 0 or -ENOMEM. */
int nn_workspace_enter(struct nn_workspace *workspace, struct nn_session *session) must_check;

/** Takes the session out. */
void nn_workspace_leave(struct nn_workspace *workspace, struct nn_session *session);

#endif
