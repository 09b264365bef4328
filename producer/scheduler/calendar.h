#ifndef SCHEDULER_CALENDAR_H
#define SCHEDULER_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

/* The Gregorian calendar as plain arithmetic: no time zone, no state of the C library. */

#define CALENDAR_DAY_S 86400

struct calendar_date {
	int64_t year;
	int month; /**< 1 to 12 */
	int day;   /**< 1 to 31 */
};

bool calendar_is_leap(int64_t year);

/** Days of a month; February of a leap year has 29. */
int calendar_month_days(int64_t year, int month);

/** Days since 1970-01-01. */
int64_t calendar_day_number(int64_t year, int month, int day);

/** The inverse, for days within some millions of years of 1970. */
struct calendar_date calendar_date_of(int64_t day_number);

/** 0 is Sunday. */
int calendar_weekday(int64_t day_number);

/** Rounds towards minus infinity. */
int64_t calendar_floor_div(int64_t value, int64_t by);

#endif
