#include "cli/output/result.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input/csv_line.h"
#include "cli/output/escape.h"

/* Which results have a column. */
enum { MATCH = 1, ENROLMENT = 2, BOTH = 3 };

/* The columns of a result, in order, for both formats. */
static const struct column {
	const char *name;
	enum { TEXT, NUMBER, WHOLE, VERDICT } type;
	size_t offset;
	int kinds;
} columns[] = {
    {"id", TEXT, offsetof(struct result, id), BOTH},
    {"task_id", TEXT, offsetof(struct result, task_id), BOTH},
    {"state", TEXT, offsetof(struct result, state), BOTH},
    {"user_id", TEXT, offsetof(struct result, user_id), ENROLMENT},
    {"score", NUMBER, offsetof(struct result, score), ENROLMENT},
    {"matched", VERDICT, offsetof(struct result, matched), MATCH},
    {"similarity", NUMBER, offsetof(struct result, similarity), MATCH},
    {"threshold", NUMBER, offsetof(struct result, threshold), MATCH},
    {"error", TEXT, offsetof(struct result, error), BOTH},
    {"message", TEXT, offsetof(struct result, message), BOTH},
    {"measure", TEXT, offsetof(struct result, measure), ENROLMENT},
    {"value", NUMBER, offsetof(struct result, value), ENROLMENT},
    {"limit", NUMBER, offsetof(struct result, limit), ENROLMENT},
    {"queue_ms", NUMBER, offsetof(struct result, queue_ms), BOTH},
    {"total_ms", NUMBER, offsetof(struct result, total_ms), BOTH},
    {"attempt", WHOLE, offsetof(struct result, attempt), BOTH},
    {"worker", TEXT, offsetof(struct result, worker), BOTH},
    {"model", TEXT, offsetof(struct result, model), BOTH},
};

int result_format_from_name(const char *name, enum result_format *format)
{
	if (strcmp(name, "jsonl") == 0)
		*format = RESULT_JSONL;
	else if (strcmp(name, "csv") == 0)
		*format = RESULT_CSV;
	else
		return -EINVAL;
	return 0;
}

void result_init(struct result *result, const char *id, const char *task_id, const char *state)
{
	*result = (struct result){
	    .id = id,
	    .task_id = task_id,
	    .state = state,
	    .user_id = "",
	    .score = NAN,
	    .similarity = NAN,
	    .threshold = NAN,
	    .error = "",
	    .message = "",
	    .measure = "",
	    .value = NAN,
	    .limit = NAN,
	    .queue_ms = NAN,
	    .total_ms = NAN,
	    .worker = "",
	    .model = "",
	};
}

static double stage_ms(const struct reply *reply, enum stage stage)
{
	return reply->timings.ms[stage] < 0 ? NAN : reply->timings.ms[stage];
}

void result_from_reply(struct result *result, const struct reply *reply)
{
	result_init(result, reply->reference, reply->task_id, task_state_name(reply->state));
	if (reply->result.present && reply->result.has_match) {
		result->has_match = true;
		result->matched = reply->result.matched;
		result->similarity = reply->result.similarity;
		result->threshold = reply->result.threshold;
	}
	result->user_id = reply->user_id;
	if (reply->result.present && reply->result.face_a.present)
		result->score = reply->result.face_a.score;
	if (reply->state != TASK_SUCCEEDED) {
		result->error = error_code_name(reply->error.code);
		result->message = reply->error.text;
		if (reply->error.measure[0]) {
			result->measure = reply->error.measure;
			result->value = reply->error.value;
			result->limit = reply->error.limit;
		}
	}
	result->queue_ms = stage_ms(reply, STAGE_QUEUE);
	result->total_ms = stage_ms(reply, STAGE_TOTAL);
	result->attempt = reply->attempt;
	result->worker = reply->worker;
	result->model = reply->model;
}

static json_t *json_value(const struct result *result, const struct column *column)
{
	const void *at = (const char *)result + column->offset;
	double number;

	switch (column->type) {
	case TEXT: {
		const char *text = *(const char *const *)at;
		return text[0] ? json_string(text) : json_null();
	}
	case NUMBER:
		number = *(const double *)at;
		return isfinite(number) ? json_real(number) : json_null();
	case WHOLE:
		return *(const int *)at > 0 ? json_integer(*(const int *)at) : json_null();
	case VERDICT:
		break;
	}
	return result->has_match ? json_boolean(result->matched) : json_null();
}

/* The value as CSV writes it: "" where there is none. */
static void csv_value(const struct result *result, const struct column *column, char *out, size_t size)
{
	const void *at = (const char *)result + column->offset;

	out[0] = '\0';
	switch (column->type) {
	case TEXT:
		snprintf(out, size, "%s", *(const char *const *)at);
		break;
	case NUMBER:
		if (isfinite(*(const double *)at))
			snprintf(out, size, "%.9g", *(const double *)at);
		break;
	case WHOLE:
		if (*(const int *)at > 0)
			snprintf(out, size, "%d", *(const int *)at);
		break;
	case VERDICT:
		if (result->has_match)
			snprintf(out, size, "%s", result->matched ? "true" : "false");
		break;
	}
}

static bool has_column(enum job_op op, const struct column *column)
{
	return column->kinds & (op == JOB_ENROLL ? ENROLMENT : MATCH);
}

int result_header(enum job_op op, enum result_format format, struct buffer *out)
{
	int r = 0;

	if (format == RESULT_JSONL)
		return 0;
	for (size_t i = 0; i < array_size(columns) && r == 0; i++)
		if (has_column(op, &columns[i]))
			r = csv_line_append(out, columns[i].name, i == 0);
	return r < 0 ? r : buffer_append(out, "\n", 1);
}

static int json_line(enum job_op op, const struct result *result, bool for_terminal, struct buffer *out)
{
	json_t *object = json_object();
	int r = 0;

	for (size_t i = 0; i < array_size(columns) && r == 0; i++) {
		if (!has_column(op, &columns[i]))
			continue;
		json_t *value = json_value(result, &columns[i]);
		/* A string that is no UTF-8 makes no JSON string; the line stays readable without it. */
		if (json_object_set_new(object, columns[i].name, value ? value : json_null()) < 0)
			r = -ENOMEM;
	}
	char *text = r == 0 ? json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9) |
						     (for_terminal ? JSON_ENSURE_ASCII : 0))
			    : NULL;
	json_decref(object);
	if (!text)
		return -ENOMEM;
	r = buffer_printf(out, "%s\n", text);
	free(text);
	return r;
}

int result_line(enum job_op op, const struct result *result, enum result_format format, bool for_terminal,
		struct buffer *out)
{
	char value[ESCAPE_SIZE];
	char shown[ESCAPE_SIZE];
	int r = 0;

	if (format == RESULT_JSONL)
		return json_line(op, result, for_terminal, out);
	for (size_t i = 0; i < array_size(columns) && r == 0; i++) {
		if (!has_column(op, &columns[i]))
			continue;
		bool verbatim = i == 0 && !for_terminal; /* the id must be found again by --resume */
		csv_value(result, &columns[i], value, sizeof(value));
		r = csv_line_append(out, verbatim ? value : escape_text(value, shown, sizeof(shown)), i == 0);
	}
	return r < 0 ? r : buffer_append(out, "\n", 1);
}
