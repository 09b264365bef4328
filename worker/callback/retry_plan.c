#include "retry_plan.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DELAY_MS (INT64_C(7) * 24 * 3600 * 1000)

static const char blank[] = " \t";

/* Milliseconds of a unit, 0 if it is none. */
static int64_t unit_ms(const char *unit, size_t length)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};

	for (size_t i = 0; i < array_size(units); i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, unit, length) == 0)
			return units[i].ms;
	return 0;
}

/* The wait that the `length` characters of `text` say, or -1. */
static int64_t parse_delay(const char *text, size_t length)
{
	int64_t value = 0;
	size_t digits = 0;

	for (; digits < length && text[digits] >= '0' && text[digits] <= '9'; digits++) {
		value = value * 10 + (text[digits] - '0');
		if (value > MAX_DELAY_MS)
			return -1;
	}
	size_t spaces = strspn(text + digits, blank);
	int64_t unit = digits + spaces < length ? unit_ms(text + digits + spaces, length - digits - spaces) : 0;
	if (digits == 0 || unit == 0 || value == 0 || value > MAX_DELAY_MS / unit)
		return -1;
	return value * unit;
}

static int compare_delays(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void collect_distinct(struct retry_plan *plan)
{
	unsigned kept = 0;

	memcpy(plan->distinct_ms, plan->delays_ms, plan->count * sizeof(int64_t));
	qsort(plan->distinct_ms, plan->count, sizeof(int64_t), compare_delays);
	for (unsigned i = 0; i < plan->count; i++)
		if (i == 0 || plan->distinct_ms[i] != plan->distinct_ms[kept - 1])
			plan->distinct_ms[kept++] = plan->distinct_ms[i];
	plan->distinct_ms[kept] = 0;
}

int retry_plan_parse(struct retry_plan *plan, const char *text, struct error *err)
{
	struct retry_plan parsed = {0};
	bool more = true;

	while (more) {
		text += strspn(text, blank);
		size_t length = strcspn(text, ",");
		const char *next = text + length;

		more = *next == ',';
		while (length > 0 && strchr(blank, text[length - 1]))
			length--;
		if (parsed.count == RETRY_PLAN_MAX_STEPS)
			return error_set(err, ERROR_CONFIG, "callback.schedule: more than %d waits",
					 RETRY_PLAN_MAX_STEPS);
		int64_t delay = parse_delay(text, length);
		if (delay < 0)
			return error_set(err, ERROR_CONFIG,
					 "callback.schedule: \"%.*s\" is not a wait of 1ms to 168h "
					 "(a whole number and ms, s, m or h)",
					 length > 40 ? 40 : (int)length, text);
		parsed.delays_ms[parsed.count++] = delay;
		text = next + more;
	}
	collect_distinct(&parsed);
	*plan = parsed;
	return 0;
}

int64_t retry_plan_next(const struct retry_plan *plan, int attempts, int64_t at_least_ms)
{
	assert(attempts >= 1);
	if ((unsigned)attempts > plan->count)
		return -1;

	int64_t delay = plan->delays_ms[attempts - 1];
	if (at_least_ms <= delay)
		return delay;
	const int64_t *step = plan->distinct_ms;
	while (*step < at_least_ms && step[1] != 0)
		step++;
	return *step;
}

int64_t retry_plan_shortest(const struct retry_plan *plan)
{
	return plan->distinct_ms[0];
}
