#include "cli/output/enrolment.h"

#include <string.h>

#include "cli/output/escape.h"

static void print_refusal(FILE *out, const struct error *error)
{
	char shown[ESCAPE_SIZE];
	const char *side = error->value < error->limit ? "below" : "above";

	fprintf(out, "%s", error_code_name(error->code));
	if (error->measure[0])
		fprintf(out, ": %s %.4g is %s %.4g", escape_text(error->measure, shown, sizeof(shown)), error->value,
			side, error->limit);
	else if (error->text[0])
		fprintf(out, ": %s", escape_text(error->text, shown, sizeof(shown)));
	fputc('\n', out);
}

void enrolment_print(FILE *out, struct terminal terminal, const char *name, const struct reply *reply)
{
	const struct reply_face *face = &reply->result.face_a;
	char shown[ESCAPE_SIZE];

	escape_text(name, shown, sizeof(shown));
	if (reply->state != TASK_SUCCEEDED) {
		fprintf(out, "%s: %srefused%s ", shown, terminal_bad(terminal), terminal_plain(terminal));
		print_refusal(out, &reply->error);
		return;
	}
	fprintf(out, "%s: %sstored%s %s", shown, terminal_good(terminal), terminal_plain(terminal), reply->task_id);
	if (face->present)
		fprintf(out, "   face score %.3f", face->score);
	if (face->present && face->faces > 1)
		fprintf(out, "   number %d of %d by size", face->index + 1, face->faces);
	fputc('\n', out);
}
