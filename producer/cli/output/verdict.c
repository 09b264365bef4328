#include "cli/output/verdict.h"

#include "cli/output/escape.h"

#define LABEL "  %-12s"

static void print_face(FILE *out, const char *label, const struct reply_face *face)
{
	if (!face->present)
		return;
	fprintf(out, LABEL "%.0f x %.0f at %.0f, %.0f   score %.3f", label, face->box[2], face->box[3], face->box[0],
		face->box[1], face->score);
	if (face->faces > 1)
		fprintf(out, "   number %d of %d by size", face->index + 1, face->faces);
	fputc('\n', out);
}

static void print_timings(FILE *out, const struct timings *timings)
{
	const char *separator = "";

	fprintf(out, LABEL, "ms");
	for (int stage = 0; stage < STAGE_COUNT; stage++) {
		if (timings->ms[stage] < 0)
			continue;
		fprintf(out, "%s%s %.1f", separator, stage_name(stage), timings->ms[stage]);
		separator = "   ";
	}
	fputc('\n', out);
}

static void print_text(FILE *out, const char *label, const char *text)
{
	char shown[ESCAPE_SIZE];

	if (text[0])
		fprintf(out, LABEL "%s\n", label, escape_text(text, shown, sizeof(shown)));
}

static void print_result(FILE *out, struct terminal terminal, const struct reply *reply)
{
	const struct reply_result *result = &reply->result;
	const char *colour = result->matched ? terminal_good(terminal) : terminal_bad(terminal);

	fprintf(out, "%s%s%s\n", colour, result->matched ? "same person" : "not the same person",
		terminal_plain(terminal));
	print_text(out, "person", reply->user_id);
	print_text(out, "collection", reply->user_id[0] ? reply->collection : "");
	fprintf(out, LABEL "%.4f\n", "similarity", result->similarity);
	fprintf(out, LABEL "%.4f\n", "threshold", result->threshold);
	print_face(out, result->face_b.present ? "face A" : "face", &result->face_a);
	print_face(out, "face B", &result->face_b);
	print_text(out, "face policy", face_policy_name(result->face_policy));
}

static void print_error(FILE *out, struct terminal terminal, const struct error *error)
{
	const char image[] = {error->image, '\0'};

	fprintf(out, "%sfailed%s\n", terminal_bad(terminal), terminal_plain(terminal));
	print_text(out, "error", error_code_name(error->code));
	print_text(out, "image", image);
	print_text(out, "reason", error->text);
	if (error->measure[0]) {
		print_text(out, "measure", error->measure);
		fprintf(out, LABEL "%g, limit %g\n", "value", error->value, error->limit);
	}
}

static void print_origin(FILE *out, struct terminal terminal, const struct reply *reply)
{
	fputs(terminal_dim(terminal), out);
	print_timings(out, &reply->timings);
	print_text(out, "worker", reply->worker);
	print_text(out, "model", reply->model);
	print_text(out, "task", reply->task_id);
	fputs(terminal_plain(terminal), out);
}

void verdict_print_failure(FILE *out, struct terminal terminal, const struct reply *reply)
{
	print_error(out, terminal, &reply->error);
	print_origin(out, terminal, reply);
}

void verdict_print(FILE *out, struct terminal terminal, const struct reply *reply)
{
	if (reply->state != TASK_SUCCEEDED) {
		verdict_print_failure(out, terminal, reply);
		return;
	}
	print_result(out, terminal, reply);
	print_origin(out, terminal, reply);
}

enum exit_status verdict_status(const struct reply *reply)
{
	if (reply->state != TASK_SUCCEEDED)
		return STATUS_TASK_FAILED;
	return reply->result.matched ? STATUS_OK : STATUS_DIFFERENT;
}
