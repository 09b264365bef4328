#include "cron.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "calendar.h"

#define MINUTE_S 60
#define EVERY_HOUR ((UINT64_C(1) << 24) - 1)
/* 29 February is at most eight years away: 2096 to 2104. */
#define MAX_YEARS 10
/* Local times are positive from here on. */
#define FIRST_S (2 * CALENDAR_DAY_S)
/* The year 9000 or so: beyond it nobody can say times in four digits. */
#define LAST_S (INT64_C(7000) * 366 * CALENDAR_DAY_S)

/* --- reading --- */

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
					  "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* What a field may hold. */
struct field {
	const char *name;
	int low;
	int high;
	const char *const *names; /* of `low` and those after it */
	int name_count;
};

static const struct field fields[] = {
    {"minute", 0, 59, NULL, 0},
    {"hour", 0, 23, NULL, 0},
    {"day", 1, 31, NULL, 0},
    {"month", 1, 12, month_names, array_size(month_names)},
    {"weekday", 0, 7, weekday_names, array_size(weekday_names)},
};

static const struct {
	const char *name;
	const char *text;
} shorthands[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};

/* A part of a field's text. */
struct span {
	const char *at;
	const char *end;
};

static int refuse(const struct field *field, const struct span *span, struct error *err)
{
	int length = (int)(span->end - span->at < 40 ? span->end - span->at : 40);

	return error_set(err, ERROR_CONFIG, "%s: \"%.*s\" is not a number from %d to %d%s, a range or a step",
			 field->name, length, span->at, field->low, field->high, field->names ? ", a name" : "");
}

static bool read_digits(struct span *span, int *out)
{
	const char *from = span->at;
	int value = 0;

	for (; span->at < span->end && *span->at >= '0' && *span->at <= '9' && span->at - from < 3; span->at++)
		value = value * 10 + *span->at - '0';
	*out = value;
	return span->at > from;
}

static bool read_value(const struct field *field, struct span *span, int *out)
{
	for (int i = 0; i < field->name_count; i++) {
		if (span->end - span->at < 3 || strncasecmp(span->at, field->names[i], 3) != 0)
			continue;
		span->at += 3;
		*out = field->low + i;
		return true;
	}
	return read_digits(span, out) && *out >= field->low && *out <= field->high;
}

static bool take(struct span *span, char c)
{
	if (span->at == span->end || *span->at != c)
		return false;
	span->at++;
	return true;
}

/* One of a list: "*", "5", "1-5", and a step behind the first and the last. */
static int read_item(const struct field *field, struct span item, uint64_t *bits, struct error *err)
{
	const struct span whole = item;
	int first = field->low;
	int last = field->high;
	int step = 1;
	bool any = take(&item, '*');
	bool range = any;

	if (!any) {
		if (!read_value(field, &item, &first))
			return refuse(field, &whole, err);
		last = first;
		range = take(&item, '-');
		if (range && !read_value(field, &item, &last))
			return refuse(field, &whole, err);
		/* "fri-sun", where Sunday is 0 as well as 7. */
		if (range && field->high == 7 && last == 0 && first > 0)
			last = 7;
	}
	/* A step would never leave a single number. */
	if (take(&item, '/') && (!range || !read_digits(&item, &step) || step < 1 || step > field->high))
		return refuse(field, &whole, err);
	if (item.at != item.end || first > last)
		return refuse(field, &whole, err);
	for (int value = first; value <= last; value += step)
		*bits |= UINT64_C(1) << value;
	return 0;
}

static int read_field(const struct field *field, const struct span *text, uint64_t *out, struct error *err)
{
	struct span item = *text;
	uint64_t bits = 0;
	int r = 0;

	for (bool more = true; r == 0 && more;) {
		const char *comma = memchr(item.at, ',', (size_t)(text->end - item.at));

		item.end = comma ? comma : text->end;
		r = read_item(field, item, &bits, err);
		more = comma != NULL;
		item.at = item.end + 1;
	}
	*out = bits;
	return r;
}

static bool is_any(const struct span *text)
{
	return text->end - text->at == 1 && *text->at == '*';
}

/* A weekday makes any month good; without one, some month must have one of the days. */
static bool ever_runs(const struct cron *cron)
{
	if (!cron->any_weekday || cron->any_day)
		return true;
	for (int month = 1; month <= 12; month++)
		for (int day = 1; cron->months >> month & 1 && day <= calendar_month_days(2000, month); day++)
			if (cron->days >> day & 1)
				return true;
	return false;
}

static int split(const char *text, struct span spans[array_size(fields)], struct error *err)
{
	static const char blank[] = " \t";
	size_t count = 0;

	for (text += strspn(text, blank); *text; text += strspn(text, blank)) {
		if (count == array_size(fields))
			return error_set(err, ERROR_CONFIG, "there is something behind the weekday");
		spans[count].at = text;
		text += strcspn(text, blank);
		spans[count++].end = text;
	}
	if (count < array_size(fields))
		return error_set(err, ERROR_CONFIG,
				 "the %s is missing (minute, hour, day, month and weekday are wanted)",
				 fields[count].name);
	return 0;
}

static const char *expand(const char *text)
{
	for (size_t i = 0; i < array_size(shorthands); i++)
		if (strcasecmp(shorthands[i].name, text) == 0)
			return shorthands[i].text;
	return text;
}

int cron_parse(struct cron *out, const char *text, struct error *err)
{
	struct span spans[array_size(fields)];
	uint64_t bits[array_size(fields)];

	if (strlen(text) > CRON_MAX_BYTES)
		return error_set(err, ERROR_CONFIG, "longer than %d bytes", CRON_MAX_BYTES);
	text = expand(text);
	if (text[0] == '@')
		return error_set(err, ERROR_CONFIG,
				 "unknown word (@yearly, @monthly, @weekly, @daily and @hourly are known)");
	int r = split(text, spans, err);
	for (size_t i = 0; r == 0 && i < array_size(fields); i++)
		r = read_field(&fields[i], &spans[i], &bits[i], err);
	if (r < 0)
		return r;
	struct cron cron = {
	    .minutes = bits[0],
	    .hours = (uint32_t)bits[1],
	    .days = (uint32_t)bits[2],
	    .months = (uint32_t)bits[3],
	    .weekdays = (uint32_t)(bits[4] | bits[4] >> 7),
	    .any_hour = bits[1] == EVERY_HOUR,
	    .any_day = is_any(&spans[2]),
	    .any_weekday = is_any(&spans[4]),
	};
	if (!ever_runs(&cron))
		return error_set(err, ERROR_CONFIG, "day: none of the months has such a day");
	*out = cron;
	return 0;
}

/* --- the next run --- */

static bool day_fits(const struct cron *cron, const struct calendar_date *date, int64_t number)
{
	bool day = cron->days >> date->day & 1;
	bool weekday = cron->weekdays >> calendar_weekday(number) & 1;

	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

/* The first bit that is set, from `from` on; -1: none. */
static int next_bit(uint64_t bits, int from)
{
	bits = from < 64 ? bits >> from << from : 0;
	return bits ? __builtin_ctzll(bits) : -1;
}

/* The first minute of a day that fits, from `from` (minutes since midnight) on; -1: none. */
static int next_minute(const struct cron *cron, int from)
{
	int hour = next_bit(cron->hours, from / 60);
	int minute = hour == from / 60 ? next_bit(cron->minutes, from % 60) : -1;

	if (hour >= 0 && minute < 0) {
		if (hour == from / 60)
			hour = next_bit(cron->hours, hour + 1);
		minute = next_bit(cron->minutes, 0);
	}
	return hour < 0 ? -1 : hour * 60 + minute;
}

/* The first local time that fits after `after_s`, or -1. */
static int64_t next_local(const struct cron *cron, int64_t after_s)
{
	int64_t from = calendar_floor_div(after_s, MINUTE_S) + 1;
	int64_t number = calendar_floor_div(from, CALENDAR_DAY_S / MINUTE_S);
	int minute = (int)(from - number * (CALENDAR_DAY_S / MINUTE_S));
	int64_t last_year = calendar_date_of(number).year + MAX_YEARS;

	for (;; number++, minute = 0) {
		struct calendar_date date = calendar_date_of(number);

		if (date.year > last_year)
			return -1;
		if (!(cron->months >> date.month & 1)) {
			number += calendar_month_days(date.year, date.month) - date.day;
			continue;
		}
		int found = day_fits(cron, &date, number) ? next_minute(cron, minute) : -1;
		if (found >= 0)
			return number * CALENDAR_DAY_S + (int64_t)found * MINUTE_S;
	}
}

/* By the hours as they pass: the clock's next reading that fits, unless the clock is changed before it is shown. */
static int64_t next_passing(const struct cron *cron, const struct time_zone *zone, int64_t after_s)
{
	int64_t from_s = after_s;
	int32_t offset = time_zone_offset(zone, from_s);
	int64_t shown_after_s = after_s + offset; /* local times above this one count */

	for (;;) {
		int64_t local_s = next_local(cron, shown_after_s);
		if (local_s < 0 || local_s > LAST_S)
			return -1;
		int64_t unix_s = local_s - offset;
		if (time_zone_offset(zone, unix_s) == offset)
			return unix_s;
		from_s = time_zone_change(zone, from_s, unix_s);
		offset = time_zone_offset(zone, from_s);
		shown_after_s = from_s - 1 + offset;
	}
}

/* By what the clock shows, each reading once. */
static int64_t next_shown(const struct cron *cron, const struct time_zone *zone, int64_t after_s)
{
	int64_t local_s = after_s + time_zone_offset(zone, after_s);

	for (;;) {
		local_s = next_local(cron, local_s);
		if (local_s < 0 || local_s > LAST_S)
			return -1;
		int64_t unix_s = time_zone_to_unix(zone, local_s);
		/* Not the readings that were shown before the clock was put back. */
		if (unix_s > after_s)
			return unix_s;
	}
}

int64_t cron_next(const struct cron *cron, const struct time_zone *zone, int64_t after_ms)
{
	int64_t after_s = calendar_floor_div(after_ms, 1000);

	if (after_s > LAST_S)
		return 0;
	if (after_s < FIRST_S)
		after_s = FIRST_S;
	int64_t next_s = cron->any_hour ? next_passing(cron, zone, after_s) : next_shown(cron, zone, after_s);
	return next_s > 0 ? next_s * 1000 : 0;
}
