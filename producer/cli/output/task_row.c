#include "cli/output/task_row.h"

#include <string.h>

#include "base/clock.h"
#include "cli/output/enrolment.h"
#include "cli/output/escape.h"
#include "cli/output/json_row.h"
#include "cli/output/ranking.h"
#include "cli/output/verdict.h"

const struct table_column task_row_columns[TASK_ROW_COLUMNS] = {
    {.head = "task"},
    {.head = "state"},
    {.head = "try", .right = true},
    {.head = "op"},
    {.head = "scene", .most = 16},
    {.head = "user", .most = 24},
    {.head = "reference", .most = 24},
    {.head = "accepted"},
    {.head = "worker", .most = 24},
    {.head = "error"},
};

void task_row_add(struct table *table, const struct task_row *row)
{
	const struct task_change *now = &row->now;

	table_add_text(table, now->task_id);
	table_add_text(table, task_state_name(now->state));
	table_add(table, "%d", now->attempt);
	table_add_text(table, now->op);
	table_add_text(table, now->scene);
	table_add_text(table, now->user_id);
	table_add_text(table, now->reference);
	table_add_time(table, now->accepted_at_ms);
	table_add_text(table, now->worker);
	table_add_text(table, now->error_code);
}

/* --- JSON --- */

static json_t *error_of(const char *code, const char *text)
{
	if (!code[0])
		return json_null();
	return json_pack("{s:o, s:o}", "code", json_row_text(code), "message", json_row_text(text));
}

static json_t *reply_of(const struct task_change *now)
{
	json_t *reply = NULL;

	if (now->reply)
		reply = json_loadb((const char *)now->reply, now->reply_size, 0, NULL);
	return reply ? reply : json_null();
}

json_t *task_row_json(const struct task_row *row)
{
	const struct task_change *now = &row->now;
	json_t *object = json_pack(
	    "{s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "task_id",
	    json_row_text(now->task_id), "state", task_state_name(now->state), "attempt", now->attempt, "at",
	    json_row_time(now->at_ms), "worker", json_row_text(now->worker), "error",
	    error_of(now->error_code, now->error_text), "next_attempt_at", json_row_time(now->next_attempt_at_ms), "op",
	    json_row_text(now->op), "scene", json_row_text(now->scene), "user_id", json_row_text(now->user_id),
	    "collection", json_row_text(now->collection), "reference", json_row_text(now->reference), "owner",
	    json_row_text(now->owner), "accepted_at", json_row_time(now->accepted_at_ms), "deadline",
	    json_row_time(now->deadline_ms), "updated_at", json_row_time(row->updated_at_ms), "finished_at",
	    json_row_time(row->finished_at_ms));

	if (object && now->reply)
		json_object_set_new(object, "reply", reply_of(now));
	return object;
}

json_t *task_row_transition_json(const struct task_transition *t)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "state", task_state_name(t->state), "attempt", t->attempt,
			 "at", json_row_time(t->at_ms), "worker", json_row_text(t->worker), "error",
			 error_of(t->error_code, t->error_text), "next_attempt_at",
			 json_row_time(t->next_attempt_at_ms));
}

/* --- for people --- */

static void print_fact(FILE *out, const char *label, const char *text)
{
	char shown[ESCAPE_SIZE];

	if (text[0])
		fprintf(out, "%-12s%s\n", label, escape_text(text, shown, sizeof(shown)));
}

static void print_time(FILE *out, const char *label, int64_t unix_ms)
{
	char text[CLOCK_RFC3339_SIZE];

	if (unix_ms == 0)
		return;
	clock_format_rfc3339(unix_ms, text);
	print_fact(out, label, text);
}

static const char *colour_of(enum task_state state, struct terminal terminal)
{
	if (state == TASK_SUCCEEDED)
		return terminal_good(terminal);
	return state == TASK_FINAL_FAILED ? terminal_bad(terminal) : "";
}

/* As the command that asked would have printed it. */
static void print_reply(const struct reply *reply, FILE *out, struct terminal terminal)
{
	if (reply->state != TASK_SUCCEEDED)
		verdict_print_failure(out, terminal, reply);
	else if (reply->op == JOB_SEARCH)
		ranking_print(out, terminal, reply);
	else if (reply->op == JOB_ENROLL)
		enrolment_print(out, terminal, "photograph", reply);
	else if (reply->op == JOB_MATCH || reply->op == JOB_VERIFY)
		verdict_print(out, terminal, reply);
}

static void print_outcome(const struct task_change *now, FILE *out, struct terminal terminal)
{
	struct reply reply;

	if (now->reply && reply_decode(&reply, ENCODING_JSON, now->reply, now->reply_size, NULL) == 0) {
		fputc('\n', out);
		print_reply(&reply, out, terminal);
		reply_finish(&reply);
		return;
	}
	print_fact(out, "error", now->error_code);
	print_fact(out, "reason", now->error_text);
}

void task_row_text(const struct task_row *row, FILE *out, struct terminal terminal)
{
	const struct task_change *now = &row->now;

	print_fact(out, "task", now->task_id);
	fprintf(out, "%-12s%s%s%s, attempt %d\n", "state", colour_of(now->state, terminal), task_state_name(now->state),
		terminal_plain(terminal), now->attempt);
	print_fact(out, "op", now->op);
	print_fact(out, "scene", now->scene);
	print_fact(out, "user", now->user_id);
	print_fact(out, "collection", now->collection);
	print_fact(out, "reference", now->reference);
	print_fact(out, "owner", now->owner);
	print_fact(out, "worker", now->worker);
	print_time(out, "accepted", now->accepted_at_ms);
	print_time(out, "deadline", now->deadline_ms);
	print_time(out, "next try", now->next_attempt_at_ms);
	print_time(out, "updated", row->updated_at_ms);
	print_time(out, "finished", row->finished_at_ms);
	print_outcome(now, out, terminal);
}

void task_row_transition_text(const struct task_transition *t, FILE *out, struct terminal terminal)
{
	char at[CLOCK_RFC3339_SIZE];
	char shown[ESCAPE_SIZE];

	clock_format_rfc3339(t->at_ms, at);
	fprintf(out, "%s  %s%-12s%s  attempt %d", at, colour_of(t->state, terminal), task_state_name(t->state),
		terminal_plain(terminal), t->attempt);
	if (t->worker[0])
		fprintf(out, "  %s", escape_text(t->worker, shown, sizeof(shown)));
	if (t->error_code[0])
		fprintf(out, "  %s", escape_text(t->error_code, shown, sizeof(shown)));
	if (t->error_text[0])
		fprintf(out, ": %s", escape_text(t->error_text, shown, sizeof(shown)));
	if (t->next_attempt_at_ms != 0) {
		clock_format_rfc3339(t->next_attempt_at_ms, at);
		fprintf(out, ", again at %s", at);
	}
	fputc('\n', out);
}
