#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/** When a schedule runs, as the store has it: by cron, by interval, or once. */
struct plan {
	const char *cron;      /**< "" when it is not by cron */
	const char *time_zone; /**< of the cron; "" is UTC */
	int64_t every_ms;      /**< 0 when it is not by interval */
	int64_t from_ms;       /**< what intervals are counted from, so that a run that is late moves none after it */
};

/** Longest interval, and how far ahead a single run may be: ten years. */
#define PLAN_MAX_MS (INT64_C(10) * 366 * 24 * 3600 * 1000)
/** Shortest interval. */
#define PLAN_MIN_EVERY_MS 1000

/**
 * The first run after `after_ms`, 0 when there is no further one. `err` (config) says what is wrong with a cron, a zone
 * or an interval. Blocking: reads the zone's file.
 */
int plan_next(const struct plan *plan, int64_t after_ms, int64_t *next_ms, struct error *err) must_check;

#endif
