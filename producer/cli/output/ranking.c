#include "cli/output/ranking.h"

#include <string.h>

#include "cli/output/escape.h"
#include "cli/output/table.h"
#include "cli/output/verdict.h"

/* Names wider than this are not waited for by the columns behind them. */
#define MAX_NAME_WIDTH 40

static void print_row(FILE *out, size_t rank, const struct reply_candidate *candidate, int name_width)
{
	char name[ESCAPE_SIZE];

	escape_text(candidate->user_id, name, sizeof(name));
	int gap = name_width - (int)table_width(name);
	fprintf(out, "%5zu  %s%*s  %10.4f  %s\n", rank, name, gap > 0 ? gap : 0, "", candidate->similarity,
		candidate->image_id);
}

static void print_table(FILE *out, struct terminal terminal, const struct reply_result *result)
{
	char name[ESCAPE_SIZE];
	int name_width = (int)strlen("person");

	for (size_t i = 0; i < result->candidate_count; i++) {
		int width = (int)table_width(escape_text(result->candidates[i].user_id, name, sizeof(name)));
		if (width > name_width && width <= MAX_NAME_WIDTH)
			name_width = width;
	}
	fprintf(out, "%s rank  %-*s  %10s  image%s\n", terminal_dim(terminal), name_width, "person", "similarity",
		terminal_plain(terminal));
	for (size_t i = 0; i < result->candidate_count; i++)
		print_row(out, i + 1, &result->candidates[i], name_width);
}

void ranking_print(FILE *out, struct terminal terminal, const struct reply *reply)
{
	const struct reply_result *result = &reply->result;

	if (reply->state != TASK_SUCCEEDED)
		verdict_print_failure(out, terminal, reply);
	else if (result->candidate_count == 0)
		fprintf(out, "%snobody%s at or above the threshold of %.4f\n", terminal_bad(terminal),
			terminal_plain(terminal), result->threshold);
	else
		print_table(out, terminal, result);
	if (reply->degraded & 1u << DEGRADED_CANDIDATES)
		fprintf(out, "The fleet is overloaded: only the best was looked for.\n");
}

enum exit_status ranking_status(const struct reply *reply)
{
	if (reply->state != TASK_SUCCEEDED)
		return STATUS_TASK_FAILED;
	return reply->result.candidate_count > 0 ? STATUS_OK : STATUS_NOBODY;
}
