#ifndef CALLBACK_RETRY_PLAN_H
#define CALLBACK_RETRY_PLAN_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define RETRY_PLAN_MAX_STEPS 16

/** When a callback that failed is tried again: one wait after each attempt but the last. */
struct retry_plan {
	int64_t delays_ms[RETRY_PLAN_MAX_STEPS]; /**< in the order of the attempts */
	unsigned count;
	/** The same without repetition, rising, ended by 0: the retry queues that are needed. */
	int64_t distinct_ms[RETRY_PLAN_MAX_STEPS + 1];
};

/**
 * Parses waits separated by commas, each a whole number and `ms`, `s`, `m` or `h` ("5s, 5m, 2h").
 * From 1 to RETRY_PLAN_MAX_STEPS of them, each from 1 ms to 7 days. On refusal `err` (config) quotes
 * the bad one.
 */
int retry_plan_parse(struct retry_plan *plan, const char *text, struct error *err) must_check;

/**
 * The wait after `attempts` (≥ 1) failed ones, or -1 when they were the last. `at_least_ms` is the
 * endpoint's own wish (Retry-After; -1 or 0: none): the answer is then the shortest wait of the
 * schedule that is neither below it nor below the scheduled one, or the longest there is.
 */
int64_t retry_plan_next(const struct retry_plan *plan, int attempts, int64_t at_least_ms);

/** The shortest wait of the schedule. */
int64_t retry_plan_shortest(const struct retry_plan *plan);

#endif
