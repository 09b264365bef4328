#include "calendar.h"

/* The calendar repeats after 400 years. */
#define ERA_YEARS 400
#define ERA_DAYS 146097
/* From 0000-03-01 to 1970-01-01: counted from March, a leap day is the last of its year. */
#define EPOCH_DAYS 719468

int64_t calendar_floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

bool calendar_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int calendar_month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

int64_t calendar_day_number(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = calendar_floor_div(y, ERA_YEARS);
	int64_t of_era = y - era * ERA_YEARS;
	/* Months from March have 31, 30, 31, 30, 31 days, twice and a bit: 153 in five. */
	int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
}

struct calendar_date calendar_date_of(int64_t day_number)
{
	int64_t days = day_number + EPOCH_DAYS;
	int64_t era = calendar_floor_div(days, ERA_DAYS);
	int64_t of_era = days - era * ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	return (struct calendar_date){
	    .year = era * ERA_YEARS + year + (month >= 10),
	    .month = (int)(month < 10 ? month + 3 : month - 9),
	    .day = (int)(of_year - (153 * month + 2) / 5 + 1),
	};
}

int calendar_weekday(int64_t day_number)
{
	/* 1970-01-01 was a Thursday. */
	return (int)(day_number + 4 - 7 * calendar_floor_div(day_number + 4, 7));
}
