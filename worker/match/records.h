#ifndef MATCH_RECORDS_H
#define MATCH_RECORDS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/reply.h"
#include "store/store.h"

/**
 * What the store knows of tasks that may have ended before: one connection for all compute threads, opened when it is
 * first needed. A store that is slow or away costs RECORDS_MAX_WAIT_MS now and then: after a failure nobody asks it for
 * a while.
 */
struct records;

/** The longest that records_find() takes, about. */
#define RECORDS_MAX_WAIT_MS 3000

/** What the settings point to outlives the records. NULL when memory is out. */
struct records *records_new(const struct store_settings *settings) must_check;

/** NULL is fine. */
void records_free(struct records *records);

/**
 * True if the task has ended: then `out` is its reply, to be freed with reply_finish(). False if it has not, or if
 * nobody can tell. Any thread.
 */
bool records_find(struct records *records, const char *task_id, struct reply *out) must_check;

#endif
