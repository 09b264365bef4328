#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The first seconds of the years 0 and 10000: between them, a year has four digits. */
#define YEAR_0 INT64_C(-62167219200)
#define YEAR_10000 INT64_C(253402300800)

#define CENTURY_MS (INT64_C(100) * 365 * 24 * 60 * 60 * 1000)

static int64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_unix_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

void clock_format_rfc3339(int64_t unix_ms, char out[CLOCK_RFC3339_SIZE])
{
	struct tm tm;

	/* Anything else is a hostile header, shown as the epoch. */
	if (unix_ms < YEAR_0 * 1000 || unix_ms >= YEAR_10000 * 1000)
		unix_ms = 0;
	int64_t ms = unix_ms % 1000;
	if (ms < 0)
		ms += 1000;
	time_t seconds = (time_t)((unix_ms - ms) / 1000);
	gmtime_r(&seconds, &tm);
	char text[64];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
	memcpy(out, text, CLOCK_RFC3339_SIZE);
}

/* Reads exactly `count` digits and steps over them. */
static bool take_digits(const char **at, int count, int *out)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char c = (*at)[i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*at += count;
	*out = value;
	return true;
}

/* Steps over one of the two characters. */
static bool take_char(const char **at, char a, char b)
{
	if (**at != a && **at != b)
		return false;
	(*at)++;
	return true;
}

/* Reads "2026-11-23T14:53:07" and steps over it. */
static bool take_date_time(const char **at, struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year;
	int month;

	if (!take_digits(at, 4, &year) || !take_char(at, '-', '-') || !take_digits(at, 2, &month) ||
	    !take_char(at, '-', '-') || !take_digits(at, 2, &tm->tm_mday) || !take_char(at, 'T', 't') ||
	    !take_digits(at, 2, &tm->tm_hour) || !take_char(at, ':', ':') || !take_digits(at, 2, &tm->tm_min) ||
	    !take_char(at, ':', ':') || !take_digits(at, 2, &tm->tm_sec))
		return false;
	if (month < 1 || month > 12)
		return false;
	bool leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	/* A leap second is allowed: it becomes the first of the next minute. */
	return tm->tm_mday >= 1 && tm->tm_mday <= days[month - 1] + leap && tm->tm_hour <= 23 && tm->tm_min <= 59 &&
	       tm->tm_sec <= 60;
}

/* Reads ".123456" into milliseconds, if it is there, and steps over it. */
static bool take_fraction(const char **at, int *ms)
{
	int digit;
	int digits = 0;

	*ms = 0;
	if (!take_char(at, '.', '.'))
		return true;
	for (; take_digits(at, 1, &digit); digits++)
		if (digits < 3)
			*ms = *ms * 10 + digit;
	for (int i = digits; i < 3; i++)
		*ms *= 10;
	return digits > 0;
}

/* Reads "Z" or "+hh:mm" into seconds east of Greenwich and steps over it. */
static bool take_offset(const char **at, int *seconds)
{
	int sign = **at == '-' ? -1 : 1;
	int hours;
	int minutes;

	*seconds = 0;
	if (take_char(at, 'Z', 'z'))
		return true;
	if (!take_char(at, '+', '-') || !take_digits(at, 2, &hours) || !take_char(at, ':', ':') ||
	    !take_digits(at, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 60 + minutes) * 60;
	return true;
}

int clock_parse_rfc3339(const char *text, int64_t *unix_ms)
{
	const char *at = text;
	struct tm tm = {0};
	int ms;
	int offset;

	if (!take_date_time(&at, &tm) || !take_fraction(&at, &ms) || !take_offset(&at, &offset) || *at != '\0')
		return -EINVAL;
	int64_t seconds = (int64_t)timegm(&tm) - offset;
	/* An offset can lead out of the years that four digits can say. */
	if (seconds < YEAR_0 || seconds >= YEAR_10000)
		return -EINVAL;
	*unix_ms = seconds * 1000 + ms;
	return 0;
}

double clock_elapsed_ms(int64_t from_ns, int64_t to_ns)
{
	return (double)(to_ns - from_ns) / 1e6;
}

struct timespec clock_timespec_in_ms(int64_t ms)
{
	/* A century is as good as for ever, and does not overflow. */
	int64_t at = clock_monotonic_ns() + (ms < CENTURY_MS ? ms : CENTURY_MS) * 1000000;

	return (struct timespec){.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)};
}
