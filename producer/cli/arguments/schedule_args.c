#include "cli/arguments/schedule_args.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "scheduler/plan.h"

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

/* The one of the four that was given. */
static int find_way(const struct args *args, const char **way, struct error *err)
{
	static const char *const ways[] = {"at", "in", "every", "cron"};
	unsigned given = 0;

	for (size_t i = 0; i < array_size(ways); i++) {
		unsigned count = args_count(args, ways[i]);
		if (count > 0)
			*way = ways[i];
		given += count;
	}
	return given == 1 ? 0 : error_set(err, ERROR_CONFIG, "one of --at, --in, --every and --cron must be given");
}

static int read_at(struct schedule *s, const char *text, int64_t now_ms, struct error *err)
{
	if (clock_parse_rfc3339(text, &s->due_ms) < 0)
		return error_set(err, ERROR_CONFIG, "--at %s: not a time such as 2026-12-24T18:00:00Z", text);
	if (s->due_ms < now_ms)
		return error_set(err, ERROR_CONFIG, "--at %s: is in the past", text);
	if (s->due_ms > now_ms + PLAN_MAX_MS)
		return error_set(err, ERROR_CONFIG, "--at %s: is more than ten years away", text);
	return 0;
}

static int read_duration(const char *option, const char *text, int64_t *ms, struct error *err)
{
	if (schedule_args_duration(text, ms) == 0)
		return 0;
	return error_set(err, ERROR_CONFIG, "--%s %s: not a time such as 90s, 10m, 1h30m or 2d, of at most ten years",
			 option, text);
}

static int read_every(struct schedule *s, const char *text, int64_t now_ms, struct error *err)
{
	int r = read_duration("every", text, &s->every_ms, err);

	if (r == 0 && s->every_ms < PLAN_MIN_EVERY_MS)
		r = error_set(err, ERROR_CONFIG, "--every %s: must be a second or more", text);
	s->due_ms = now_ms + s->every_ms;
	return r;
}

static int read_cron(struct schedule *s, const char *text, int64_t now_ms, struct error *err)
{
	const struct plan plan = {.cron = text, .time_zone = s->time_zone};

	s->cron = text;
	if (text[0] == '\0')
		return error_set(err, ERROR_CONFIG, "--cron: is empty");
	int r = plan_next(&plan, now_ms, &s->due_ms, err);
	if (r < 0)
		error_prefix(err, "--cron");
	return r;
}

static int read_way(struct schedule *s, const char *way, const char *text, int64_t now_ms, struct error *err)
{
	if (strcmp(way, "at") == 0)
		return read_at(s, text, now_ms, err);
	if (strcmp(way, "every") == 0)
		return read_every(s, text, now_ms, err);
	if (strcmp(way, "cron") == 0)
		return read_cron(s, text, now_ms, err);
	int r = read_duration("in", text, &s->due_ms, err);
	s->due_ms += now_ms;
	return r;
}

/* --- the rest --- */

static int read_misfire(struct schedule *s, const char *text, struct error *err)
{
	if (!text || strcmp(text, "run-once") == 0)
		s->misfire = MISFIRE_RUN_ONCE;
	else if (strcmp(text, "skip") == 0)
		s->misfire = MISFIRE_SKIP;
	else
		return error_set(err, ERROR_CONFIG, "--misfire %s: must be run-once or skip", text);
	return 0;
}

static int read_name(struct schedule *s, const char *text, struct error *err)
{
	s->name = text ? text : "";
	if (strlen(s->name) > SCHEDULE_MAX_NAME_BYTES || !utf8_is_valid(s->name, strlen(s->name)))
		return error_set(err, ERROR_CONFIG, "--name: must be at most %d bytes of UTF-8",
				 SCHEDULE_MAX_NAME_BYTES);
	return 0;
}

/* Options that mean nothing to what was asked for. */
static int check_strays(const struct args *args, const char *way, struct error *err)
{
	bool by_cron = strcmp(way, "cron") == 0;

	if (args_count(args, "time-zone") > 0 && !by_cron)
		return error_set(err, ERROR_CONFIG, "--time-zone goes with --cron");
	if (args_count(args, "misfire") > 0 && !by_cron && strcmp(way, "every") != 0)
		return error_set(err, ERROR_CONFIG, "--misfire goes with --every and --cron");
	return 0;
}

int schedule_args_read(struct schedule *out, const struct args *args, int64_t now_ms, struct error *err)
{
	struct schedule s = *out;
	const char *way = "";

	s.cron = "";
	s.time_zone = args_count(args, "time-zone") > 0 ? args_value(args, "time-zone") : "";
	s.every_ms = 0;
	s.created_at_ms = now_ms;
	int r = find_way(args, &way, err);
	if (r == 0)
		r = check_strays(args, way, err);
	if (r == 0)
		r = read_misfire(&s, args_value(args, "misfire"), err);
	if (r == 0)
		r = read_name(&s, args_value(args, "name"), err);
	if (r == 0)
		r = read_way(&s, way, args_value(args, way), now_ms, err);
	if (r == 0)
		*out = s;
	return r;
}
