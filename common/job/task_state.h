#ifndef JOB_TASK_STATE_H
#define JOB_TASK_STATE_H

#include "base/compiler.h"

/* Where a task stands. */

enum task_state { TASK_PENDING, TASK_RUNNING, TASK_SUCCEEDED, TASK_FAILED, TASK_RETRYING, TASK_FINAL_FAILED };

/** The state as the wire spells it. Static storage. */
const char *task_state_name(enum task_state state);
int task_state_from_name(const char *name, enum task_state *state) must_check;

#endif
