#ifndef MATCH_CANCELLED_H
#define MATCH_CANCELLED_H

#include <stdbool.h>

#include "base/compiler.h"

/**
 * Ids of tasks that were cancelled lately, so that a job which comes after its cancellation is not computed. Remembers
 * the last CANCELLED_MOST; whoever records the cancellation makes it count, this only saves the work. Any thread.
 */
struct cancelled;

#define CANCELLED_MOST 4096

/** NULL when memory is out. */
struct cancelled *cancelled_new(void) must_check;

/** NULL is fine. */
void cancelled_free(struct cancelled *cancelled);

void cancelled_add(struct cancelled *cancelled, const char *task_id);
bool cancelled_has(struct cancelled *cancelled, const char *task_id);

#endif
