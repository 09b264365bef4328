#include "cli/output/delivery_row.h"

#include <string.h>

#include "base/clock.h"
#include "cli/output/escape.h"
#include "cli/output/json_row.h"

json_t *delivery_row_json(const struct delivery_report *report)
{
	return json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "at", json_row_time(report->at_ms), "attempt",
			 report->attempt, "outcome", delivery_outcome_name(report->outcome), "origin",
			 json_row_text(report->origin), "http_status",
			 report->http_status > 0 ? json_integer(report->http_status) : json_null(), "error",
			 json_row_text(report->error), "duration_ms",
			 report->duration_us >= 0 ? json_real((double)report->duration_us / 1000) : json_null(),
			 "next_attempt_at", json_row_time(report->next_attempt_at_ms));
}

static const char *colour_of(enum delivery_outcome outcome, struct terminal terminal)
{
	if (outcome == DELIVERY_OUTCOME_DELIVERED)
		return terminal_good(terminal);
	return outcome == DELIVERY_OUTCOME_PARKED ? terminal_bad(terminal) : "";
}

void delivery_row_text(const struct delivery_report *report, FILE *out, struct terminal terminal)
{
	char at[CLOCK_RFC3339_SIZE];
	char shown[ESCAPE_SIZE];

	clock_format_rfc3339(report->at_ms, at);
	fprintf(out, "%s  callback %s%s%s", at, colour_of(report->outcome, terminal),
		delivery_outcome_name(report->outcome), terminal_plain(terminal));
	if (report->attempt > 0)
		fprintf(out, "  attempt %d", report->attempt);
	if (report->origin[0])
		fprintf(out, "  %s", escape_text(report->origin, shown, sizeof(shown)));
	if (report->duration_us >= 0)
		fprintf(out, "  %.0f ms", (double)report->duration_us / 1000);
	/* What went wrong names the status too. */
	if (report->error[0])
		fprintf(out, "  %s", escape_text(report->error, shown, sizeof(shown)));
	else if (report->http_status > 0)
		fprintf(out, "  HTTP %d", report->http_status);
	if (report->next_attempt_at_ms != 0) {
		clock_format_rfc3339(report->next_attempt_at_ms, at);
		fprintf(out, ", again at %s", at);
	}
	fputc('\n', out);
}
