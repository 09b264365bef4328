#include "cli/output/schedule_row.h"

#include <inttypes.h>

#include "base/clock.h"
#include "cli/output/escape.h"
#include "cli/output/json_row.h"

#define FORMAT "%-36s  %-24s  %-8s  %-24s  %s\n"

void schedule_row_head(FILE *out)
{
	fprintf(out, FORMAT, "id", "due", "job", "when", "name");
}

/* The largest unit that leaves no rest. */
static void print_every(int64_t every_ms, char *out, size_t size)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
	size_t i = 0;

	while (every_ms % units[i].ms != 0)
		i++;
	snprintf(out, size, "every %" PRId64 "%s", every_ms / units[i].ms, units[i].name);
}

static void print_when(const struct schedule *s, char *out, size_t size)
{
	if (s->cron[0] != '\0')
		snprintf(out, size, "%s%s%s", s->cron, s->time_zone[0] != '\0' ? " " : "", s->time_zone);
	else if (s->every_ms > 0)
		print_every(s->every_ms, out, size);
	else
		snprintf(out, size, "once");
}

void schedule_row_text(const struct schedule *s, FILE *out)
{
	char due[CLOCK_RFC3339_SIZE], when[400];
	char shown[ESCAPE_SIZE], name[ESCAPE_SIZE];

	clock_format_rfc3339(s->due_ms, due);
	print_when(s, when, sizeof(when));
	fprintf(out, FORMAT, s->schedule_id, due, s->op, escape_text(when, shown, sizeof(shown)),
		escape_text(s->name, name, sizeof(name)));
}

int schedule_row_json(const struct schedule *s, FILE *out)
{
	json_t *row = json_pack("{s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}",
				"schedule_id", s->schedule_id, "name", json_row_text(s->name), "owner",
				json_row_text(s->owner), "op", s->op, "scene", s->scene, "user_id",
				json_row_text(s->user_id), "collection", json_row_text(s->collection), "cron",
				json_row_text(s->cron), "time_zone", json_row_text(s->time_zone), "every_ms",
				s->every_ms > 0 ? json_integer((json_int_t)s->every_ms) : json_null(), "misfire",
				s->misfire == MISFIRE_SKIP ? "skip" : "run-once", "due_at", json_row_time(s->due_ms),
				"task_id", json_row_text(s->task_id), "created_at", json_row_time(s->created_at_ms),
				"last_run_at", json_row_time(s->last_run_ms));

	return json_row_print(row, false, out);
}
