#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "recent.h"
#include "store/tasks.h"

/* Tasks as the API shows them: JSON. All append to `out` and return 0, -ENOMEM or -EMSGSIZE. */

/**
 * A whole task. `history` and `deliveries` are the texts of arrays (of view_transition() and view_delivery() between
 * commas, within brackets), `reply` that of an object; NULL: null.
 */
int view_task(const struct task_row *row, const struct buffer *history, const struct buffer *deliveries,
	      struct buffer *out) must_check;

/** A task in a list: without history, deliveries and reply. */
int view_summary(const struct task_row *row, struct buffer *out) must_check;

int view_transition(const struct task_transition *transition, struct buffer *out) must_check;

/** An attempt to deliver the task's callback. */
int view_delivery(const struct delivery_report *report, struct buffer *out) must_check;

/** A task as far as it is known from memory, as view_task() shows it. */
int view_recent(const struct task_row *row, struct buffer *out) must_check;

/** A task that is scheduled, as view_task() shows it: its next attempt is its first. */
int view_scheduled(const struct task_row *row, struct buffer *out) must_check;

/** The state of a task as an event, for a stream that begins. */
int view_event(const struct task_row *row, struct buffer *out) must_check;

/** Fills a row in with what memory knows; it borrows from `task` and `reply`. */
void view_row_of(const struct recent_task *task, const struct buffer *reply, struct task_row *row);

#endif
