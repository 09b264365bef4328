#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	int64_t ms = unix_ms % 1000;
	struct tm tm;

	if (ms < 0)
		ms += 1000;
	time_t seconds = (time_t)((unix_ms - ms) / 1000);
	/* Four-digit years only: anything else is a hostile header, shown as the epoch. */
	if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		seconds = 0;
		ms = 0;
		gmtime_r(&seconds, &tm);
	}
	char text[64];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
	memcpy(out, text, CLOCK_RFC3339_SIZE);
}

/* Reads ".123456" into milliseconds and steps over it; 0 when there is no fraction. */
static int parse_fraction(const char **at)
{
	int ms = 0;
	int digits = 0;

	if (**at != '.')
		return 0;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, digits++)
		if (digits < 3)
			ms = ms * 10 + (**at - '0');
	if (digits == 0)
		return -1;
	for (; digits < 3; digits++)
		ms *= 10;
	return ms;
}

int clock_parse_rfc3339(const char *text, int64_t *unix_ms)
{
	struct tm tm = {0};
	int used = 0;

	if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &used) != 6 ||
	    used != 19)
		return -EINVAL;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
	    tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return -EINVAL;

	const char *at = text + used;
	int ms = parse_fraction(&at);
	int offset = 0;
	if (ms < 0)
		return -EINVAL;
	if (*at == 'Z' || *at == 'z') {
		at++;
	} else if (*at == '+' || *at == '-') {
		int hours;
		int minutes;
		int length = 0;
		if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2 || length != 5 || hours < 0 ||
		    hours > 23 || minutes < 0 || minutes > 59)
			return -EINVAL;
		offset = (*at == '+' ? 1 : -1) * (hours * 60 + minutes) * 60;
		at += 1 + length;
	} else {
		return -EINVAL;
	}
	if (*at != '\0')
		return -EINVAL;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*unix_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
	return 0;
}

double clock_elapsed_ms(int64_t from_ns, int64_t to_ns)
{
	return (double)(to_ns - from_ns) / 1e6;
}

struct timespec clock_timespec_in_ms(int64_t ms)
{
	int64_t at = clock_monotonic_ns() + ms * 1000000;

	return (struct timespec){.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)};
}
