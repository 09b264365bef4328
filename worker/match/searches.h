#ifndef MATCH_SEARCHES_H
#define MATCH_SEARCHES_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "matcher.h"
#include "task.h"

/**
 * Searches of one compute thread. A large gallery is read from memory for every search; searches that are run together
 * share one read. So a search in a large gallery waits, once its photograph has been looked at, for others: as long as
 * the thread has something else to do, SEARCHES_PATIENCE_MS at most. One thread.
 */
struct searches;

#define SEARCHES_TOGETHER 8
#define SEARCHES_PATIENCE_MS 20

/** Gets each task back: with its result (`err` NULL) or the reason why there is none. */
typedef void searches_finished_fn(void *arg, struct task *task, const struct error *err);

/** NULL when memory is out. */
struct searches *searches_new(struct matcher *matcher, searches_finished_fn *finished, void *arg) must_check;

/** Nobody may be waiting. NULL is fine. */
void searches_free(struct searches *searches);

/** Takes over a task that searches: it is finished before this returns, or waits. */
void searches_take(struct searches *searches, struct task *task);

/** True when those that wait should wait no longer. */
bool searches_are_due(const struct searches *searches);

/** Finishes those that wait. */
void searches_finish(struct searches *searches);

#endif
