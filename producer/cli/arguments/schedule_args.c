#include "cli/arguments/schedule_args.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "scheduler/plan.h"
#include "scheduler/schedule_request.h"

const struct arg_option schedule_args_options[] = {
    {"at", 0, "TIME", "Run once at that time, e.g. 2026-12-24T18:00:00+01:00."},
    {"in", 0, "WAIT", "Run once after that time: 90s, 10m, 1h30m, 2d."},
    {"every", 0, "WAIT", "Run again and again, the first time after that time."},
    {"cron", 0, "FIELDS", "Run at those times: minute, hour, day, month and weekday, or @hourly and the like."},
    {"time-zone", 0, "ZONE", "With --cron: whose clock counts, e.g. Europe/Berlin; UTC without it."},
    {"misfire", 0, "HOW", "With --every and --cron, after an outage: run-once (the default) or skip."},
    {"name", 0, "N", "What the schedule is called in lists."},
    {0},
};

/* --- durations --- */

static int64_t take_unit(const char **at)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

	for (size_t i = 0; i < array_size(units); i++) {
		size_t length = strlen(units[i].name);
		if (strncmp(*at, units[i].name, length) != 0)
			continue;
		*at += length;
		return units[i].ms;
	}
	return 0;
}

int schedule_args_duration(const char *text, int64_t *ms)
{
	const char *at = text;
	int64_t total = 0;

	do {
		int64_t value = 0;
		const char *from = at;

		for (; *at >= '0' && *at <= '9'; at++) {
			value = value * 10 + *at - '0';
			if (value > PLAN_MAX_MS)
				return -EINVAL;
		}
		int64_t unit = at > from ? take_unit(&at) : 0;
		if (unit == 0 || value > PLAN_MAX_MS / unit)
			return -EINVAL;
		total += value * unit;
		if (total > PLAN_MAX_MS)
			return -EINVAL;
	} while (*at != '\0');
	*ms = total;
	return 0;
}

/* --- when --- */

static int read_at(struct schedule_request *request, const char *text, struct error *err)
{
	request->has_at = text != NULL;
	if (text && clock_parse_rfc3339(text, &request->at_ms) < 0)
		return error_set(err, ERROR_CONFIG, "--at %s: not a time such as 2026-12-24T18:00:00Z", text);
	return 0;
}

static int read_duration(const char *option, const char *text, bool *has, int64_t *ms, struct error *err)
{
	*has = text != NULL;
	if (!text || schedule_args_duration(text, ms) == 0)
		return 0;
	return error_set(err, ERROR_CONFIG, "--%s %s: not a time such as 90s, 10m, 1h30m or 2d, of at most ten years",
			 option, text);
}

static int read_misfire(struct schedule_request *request, const char *text, struct error *err)
{
	request->has_misfire = text != NULL;
	if (!text || strcmp(text, "run-once") == 0)
		request->misfire = MISFIRE_RUN_ONCE;
	else if (strcmp(text, "skip") == 0)
		request->misfire = MISFIRE_SKIP;
	else
		return error_set(err, ERROR_CONFIG, "--misfire %s: must be run-once or skip", text);
	return 0;
}

static int refuse_twice(const struct args *args, struct error *err)
{
	static const char *const ways[] = {"at", "in", "every", "cron"};

	for (size_t i = 0; i < array_size(ways); i++)
		if (args_count(args, ways[i]) > 1)
			return error_set(err, ERROR_CONFIG, "--%s: is there twice", ways[i]);
	return 0;
}

int schedule_args_read(struct schedule *out, const struct args *args, int64_t now_ms, struct error *err)
{
	static const struct schedule_request_names names = {
	    .name = "--name",
	    .at = "--at",
	    .in = "--in",
	    .every = "--every",
	    .cron = "--cron",
	    .time_zone = "--time-zone",
	    .misfire = "--misfire",
	};
	struct schedule_request request = {
	    .name = args_value(args, "name"),
	    .cron = args_value(args, "cron"),
	    .time_zone = args_value(args, "time-zone"),
	};
	int r = refuse_twice(args, err);

	if (r == 0)
		r = read_at(&request, args_value(args, "at"), err);
	if (r == 0)
		r = read_duration("in", args_value(args, "in"), &request.has_in, &request.in_ms, err);
	if (r == 0)
		r = read_duration("every", args_value(args, "every"), &request.has_every, &request.every_ms, err);
	if (r == 0)
		r = read_misfire(&request, args_value(args, "misfire"), err);
	return r == 0 ? schedule_request_check(&request, &names, now_ms, out, err) : r;
}
