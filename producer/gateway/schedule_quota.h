#ifndef GATEWAY_SCHEDULE_QUOTA_H
#define GATEWAY_SCHEDULE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "store/store.h"

/*
 * How many schedules somebody may have in the store. They are counted there at most once every SCHEDULE_QUOTA_FRESH_MS
 * for each owner, and what is added here meanwhile is added to that: with several gateways there may be a few too many.
 * Any thread; time is monotonic and the caller's.
 */

#define SCHEDULE_QUOTA_FRESH_MS 2000

struct schedule_quota;

/** Remembers the counts of at most `max_owners` (≥ 1). NULL when memory is out. */
struct schedule_quota *schedule_quota_new(size_t max_owners) must_check;
void schedule_quota_free(struct schedule_quota *quota);

/** Takes a place for one more schedule of `owner` ("": all who have no key), of `max` (0: without limit). Blocks, and
 * fails, as the store does; `allowed` is written on success only. */
int schedule_quota_take(struct schedule_quota *quota, struct store *store, const char *owner, uint64_t max,
			int64_t now_ms, bool *allowed, struct error *err) must_check;

#endif
