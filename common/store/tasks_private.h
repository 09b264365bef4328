#ifndef STORE_TASKS_PRIVATE_H
#define STORE_TASKS_PRIVATE_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "store/store_private.h"
#include "store/tasks.h"

/*
 * For the store itself. Whoever changes tasks locks the row of counts first and holds it to the end, so that there is
 * one of them at a time: what is read of a task stays true until it is written, and the counts are those of the tasks.
 */

/** Begins a transaction and locks. */
int tasks_lock(struct store *store, struct error *err) must_check;

/** Ends it and returns `r`, or why it could not be committed. */
int tasks_end(struct store *store, int r, struct error *err) must_check;

/** Adds to the counts, by enum task_state. */
int tasks_add_counts(struct store *store, const int64_t more[TASK_FINAL_FAILED + 1], struct error *err) must_check;

/** Adds deliveries that are not on record yet; within the transaction of who records. */
int tasks_put_deliveries(struct store *store, const struct tasks_news *news, struct error *err) must_check;

/** A column that has "" where nothing was said. */
struct database_value tasks_text(const char *text);

#endif
