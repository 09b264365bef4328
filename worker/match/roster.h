#ifndef MATCH_ROSTER_H
#define MATCH_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "task.h"

/** The tasks a worker has in hand, from delivery to settlement. Any thread. */
struct roster;

struct roster *roster_new(void) must_check;

/** Frees the roster and every task still on it. */
void roster_free(struct roster *roster);

/** Enters a task, which then belongs to the roster's worker. */
void roster_add(struct roster *roster, struct task *task);

/** Takes a task off and frees it. */
void roster_remove(struct roster *roster, struct task *task);

/** Tasks in hand. */
size_t roster_count(struct roster *roster);

/** Waits until no task is in hand; 0 or -ETIMEDOUT. */
int roster_wait_empty(struct roster *roster, int64_t timeout_ms) must_check;

/** Cancels the task of that id, if it is in hand. */
void roster_cancel(struct roster *roster, const char *task_id);

/** Cancels every task in hand: those not yet computed stop at their next checkpoint. */
void roster_cancel_all(struct roster *roster);

#endif
