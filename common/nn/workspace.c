#include "nn/workspace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nn/operator.h"
#include "nn/session.h"

struct nn_workspace {
	float *memory;
	size_t size; /* bytes */
	struct nn_session **sessions;
	unsigned count;
};

int nn_workspace_new(struct nn_workspace **out, struct error *err)
{
	struct nn_workspace *workspace = calloc(1, sizeof(*workspace));

	if (!workspace)
		return nn_out_of_memory(err);
	*out = workspace;
	return 0;
}

void nn_workspace_free(struct nn_workspace *workspace)
{
	if (!workspace)
		return;
	free(workspace->sessions);
	free(workspace->memory);
	free(workspace);
}

static int grow(struct nn_workspace *workspace, size_t size)
{
	float *memory = aligned_alloc(NN_ALIGNMENT, size);

	if (!memory)
		return -ENOMEM;
	/* Kernels read (and ignore) a little beyond what was written; and no page fault in the first run. */
	memset(memory, 0, size);
	for (unsigned i = 0; i < workspace->count; i++)
		nn_session_bind(workspace->sessions[i], memory);
	free(workspace->memory);
	workspace->memory = memory;
	workspace->size = size;
	return 0;
}

int nn_workspace_enter(struct nn_workspace *workspace, struct nn_session *session)
{
	struct nn_session **sessions =
	    realloc(workspace->sessions, (workspace->count + 1) * sizeof(struct nn_session *));

	if (!sessions)
		return -ENOMEM;
	workspace->sessions = sessions;
	if (session->size > workspace->size && grow(workspace, session->size) < 0)
		return -ENOMEM;
	sessions[workspace->count++] = session;
	nn_session_bind(session, workspace->memory);
	return 0;
}

void nn_workspace_leave(struct nn_workspace *workspace, struct nn_session *session)
{
	for (unsigned i = 0; i < workspace->count; i++) {
		if (workspace->sessions[i] == session) {
			workspace->sessions[i] = workspace->sessions[--workspace->count];
			return;
		}
	}
}
