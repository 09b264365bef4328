#ifndef SCHEDULER_CRON_H
#define SCHEDULER_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "time_zone.h"

/**
 * When to run again and again: the five fields of cron, minute (0-59), hour (0-23), day of the month (1-31), month
 * (1-12 or jan-dec) and weekday (0-7 or sun-sat, 0 and 7 are Sunday), separated by blanks. A field is a list of
 * numbers, ranges and steps: "*", "5", "1-5", "1,15", "*" "/15", "8-18/2"; in a range of weekdays Sunday may be the
 * end ("fri-sun"). When both day and weekday say something else than "*", a day that fits either of them counts.
 * @yearly, @monthly, @weekly, @daily and @hourly stand for all five.
 */
struct cron {
	uint64_t minutes; /**< one bit for each value */
	uint32_t hours;
	uint32_t days;
	uint32_t months;
	uint32_t weekdays;
	bool any_hour;
	bool any_day;
	bool any_weekday;
};

/** Longest text, in bytes. */
#define CRON_MAX_BYTES 255

/** Reads it. `err` (config) names the field, and says so too when no such day exists (31 February). */
int cron_parse(struct cron *out, const char *text, struct error *err) must_check;

/**
 * The first run after `after_ms` (unix ms), by the clocks of the zone; 0 if there is none within ten years, which
 * only happens at the end of time. A run whose time is left out when clocks are put forward happens in that moment;
 * one whose time comes twice when they are put back happens the first time. Runs of every hour follow the
 * hours as they really pass instead: none is added for an hour that is left out, none is missing in one that comes
 * twice.
 */
int64_t cron_next(const struct cron *cron, const struct time_zone *zone, int64_t after_ms);

#endif
