#include "zone_rule.h"

#include <errno.h>
#include <string.h>

#include "calendar.h"

#define SUMMER_S 3600
#define CHANGE_TIME_S 7200
/* RFC 8536 lets the time of a change be days away. */
#define MAX_TIME_HOURS 167
#define MAX_OFFSET_HOURS 24

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* A number from `low` to `high`, of at most three digits. */
static bool take_number(const char **at, int low, int high, int *out)
{
	int value = 0;
	int digits = 0;

	for (; digits < 3 && is_digit(**at); digits++)
		value = value * 10 + *(*at)++ - '0';
	if (digits == 0 || is_digit(**at) || value < low || value > high)
		return false;
	*out = value;
	return true;
}

/* "CET" or "<+0330>". */
static bool take_name(const char **at)
{
	const char *from = *at;

	if (take(at, '<')) {
		while (is_letter(**at) || is_digit(**at) || **at == '+' || **at == '-')
			++*at;
		return take(at, '>') && *at - from >= 3;
	}
	while (is_letter(**at))
		++*at;
	return *at - from >= 3;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_time(const char **at, int max_hours, int32_t *out)
{
	int parts[3] = {0};
	int sign = **at == '-' ? -1 : 1;

	if (!take(at, '-'))
		(void)take(at, '+');
	if (!take_number(at, 0, max_hours, &parts[0]))
		return false;
	for (int i = 1; i < 3 && take(at, ':'); i++)
		if (!take_number(at, 0, 59, &parts[i]))
			return false;
	*out = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
	return true;
}

/* "M3.5.0", "J60" or "59", and "/time". */
static bool take_day(const char **at, struct zone_day *day)
{
	bool taken;

	if (take(at, 'M')) {
		day->kind = ZONE_DAY_WEEKDAY;
		taken = take_number(at, 1, 12, &day->month) && take(at, '.') && take_number(at, 1, 5, &day->week) &&
			take(at, '.') && take_number(at, 0, 6, &day->day);
	} else if (take(at, 'J')) {
		day->kind = ZONE_DAY_JULIAN;
		taken = take_number(at, 1, 365, &day->day);
	} else {
		day->kind = ZONE_DAY_ZERO_BASED;
		taken = take_number(at, 0, 365, &day->day);
	}
	day->time_s = CHANGE_TIME_S;
	return taken && (!take(at, '/') || take_time(at, MAX_TIME_HOURS, &day->time_s));
}

int zone_rule_parse(struct zone_rule *out, const char *text)
{
	struct zone_rule rule = {0};
	const char *at = text;

	/* POSIX counts west of Greenwich. */
	if (!take_name(&at) || !take_time(&at, MAX_OFFSET_HOURS, &rule.standard_s))
		return -EINVAL;
	rule.standard_s = -rule.standard_s;
	if (*at != '\0') {
		rule.has_summer = true;
		if (!take_name(&at))
			return -EINVAL;
		rule.summer_s = -rule.standard_s - SUMMER_S;
		if (*at != ',' && !take_time(&at, MAX_OFFSET_HOURS, &rule.summer_s))
			return -EINVAL;
		rule.summer_s = -rule.summer_s;
		if (!take(&at, ',') || !take_day(&at, &rule.start) || !take(&at, ',') || !take_day(&at, &rule.end))
			return -EINVAL;
	}
	if (*at != '\0')
		return -EINVAL;
	*out = rule;
	return 0;
}

/* The day of a year on which the clock is changed. */
static int64_t day_in(const struct zone_day *day, int64_t year)
{
	int64_t january = calendar_day_number(year, 1, 1);

	if (day->kind == ZONE_DAY_ZERO_BASED)
		return january + day->day;
	if (day->kind == ZONE_DAY_JULIAN) /* 29 February is not counted */
		return january + day->day - 1 + (calendar_is_leap(year) && day->day >= 60);
	int64_t first = calendar_day_number(year, day->month, 1);
	int64_t wanted = first + (day->day - calendar_weekday(first) + 7) % 7 + (day->week - 1) * 7;
	/* Week 5 is the last one. */
	return wanted < first + calendar_month_days(year, day->month) ? wanted : wanted - 7;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_s)
{
	if (!rule->has_summer)
		return rule->standard_s;
	int64_t year = calendar_date_of(calendar_floor_div(unix_s + rule->standard_s, CALENDAR_DAY_S)).year;
	int64_t start = day_in(&rule->start, year) * CALENDAR_DAY_S + rule->start.time_s - rule->standard_s;
	int64_t end = day_in(&rule->end, year) * CALENDAR_DAY_S + rule->end.time_s - rule->summer_s;
	/* South of the equator, summer begins after it ended. */
	bool summer = start < end ? unix_s >= start && unix_s < end : unix_s >= start || unix_s < end;

	return summer ? rule->summer_s : rule->standard_s;
}
