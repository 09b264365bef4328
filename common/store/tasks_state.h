#ifndef STORE_TASKS_STATE_H
#define STORE_TASKS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "job/reply.h"
#include "store/tasks.h"

/* For the store itself: which transitions of a task lead forward, and what becomes of what is known of it. */

bool task_state_is_terminal(enum task_state state);

/** Whether a task that stands at (from, from_attempt) may go to (to, to_attempt). */
bool task_state_leads_forward(enum task_state from, int from_attempt, enum task_state to, int to_attempt);

/** What a batch of changes makes of one task. Strings are borrowed from the changes. */
struct task_progress {
	bool exists;               /**< in the store */
	enum task_state was_state; /**< there */
	int64_t was_transitions;   /**< lines of the log there */

	int64_t transitions;
	struct task_change now; /**< the newest accepted state, and the facts of all changes, earliest first */
};

/** Applies one change; true if it was accepted. Begin with a progress of zeros, or what the store has. */
bool task_progress_apply(struct task_progress *progress, const struct task_change *change);

#endif
