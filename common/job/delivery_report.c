#include "job/delivery_report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "job/names.h"
#include "job/task.h"

/* Longer than any attempt may take: 10 days. */
#define MAX_DURATION_MS 864000000.0

static const char *const outcomes[] = {
    [DELIVERY_OUTCOME_DELIVERED] = "delivered",
    [DELIVERY_OUTCOME_RETRYING] = "retrying",
    [DELIVERY_OUTCOME_PARKED] = "parked",
};

const char *delivery_outcome_name(enum delivery_outcome outcome)
{
	return outcomes[outcome];
}

int delivery_outcome_from_name(const char *name, enum delivery_outcome *outcome)
{
	int index = names_find(outcomes, array_size(outcomes), name);

	if (index < 0)
		return -EINVAL;
	*outcome = (enum delivery_outcome)index;
	return 0;
}

void delivery_report_write(struct writer *w, const struct delivery_report *report)
{
	writer_time_or_null(w, "at", report->at_ms);
	writer_integer(w, "attempt", report->attempt);
	writer_string(w, "outcome", outcomes[report->outcome]);
	writer_string_or_null(w, "origin", report->origin);
	if (report->http_status > 0)
		writer_integer(w, "http_status", report->http_status);
	else
		writer_null(w, "http_status");
	writer_string_or_null(w, "error", report->error);
	if (report->duration_us >= 0)
		writer_decimal(w, "duration_ms", (double)report->duration_us / 1000);
	else
		writer_null(w, "duration_ms");
	writer_time_or_null(w, "next_attempt_at", report->next_attempt_at_ms);
}

int delivery_report_encode(const struct delivery_report *report, struct buffer *out)
{
	struct writer w;

	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "task_id", report->task_id);
	delivery_report_write(&w, report);
	writer_close(&w);
	return writer_finish(&w);
}

/* What follows the host may hold secrets: a report that has it is none. */
static bool is_origin(const char *text)
{
	size_t scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) == 0 ? 8 : 0;

	return scheme > 0 && text[scheme] != '\0' && strpbrk(text + scheme, "/?#@\\") == NULL;
}

static void read_origin(const struct value *root, struct delivery_report *report)
{
	struct value origin = value_field(root, "origin");

	if (value_read_string(&origin, report->origin, sizeof(report->origin)) && !is_origin(report->origin))
		value_refuse(&origin, "is more or less than scheme, host and port of a URL");
}

static void read_what_happened(const struct value *root, struct delivery_report *report)
{
	struct value outcome = value_field(root, "outcome");
	struct value status = value_field(root, "http_status");
	struct value error = value_field(root, "error");
	struct value duration = value_field(root, "duration_ms");
	unsigned index;
	int64_t number;
	double ms;

	if (value_require(&outcome) && value_read_choice(&outcome, outcomes, array_size(outcomes), &index))
		report->outcome = (enum delivery_outcome)index;
	if (value_read_integer(&status, 100, 999, &number))
		report->http_status = (int)number;
	value_read_text(&error, report->error, sizeof(report->error));
	report->duration_us = -1;
	if (!value_read_number(&duration, &ms))
		return;
	if (ms < 0 || ms > MAX_DURATION_MS)
		value_refuse(&duration, "is not from 0 to %.0f", MAX_DURATION_MS);
	else
		report->duration_us = llround(ms * 1000);
}

static void read_report(const struct value *root, struct delivery_report *report)
{
	struct value task_id = value_field(root, "task_id");
	struct value at = value_field(root, "at");
	struct value next_attempt_at = value_field(root, "next_attempt_at");

	if (value_require(&task_id))
		task_read_id(&task_id, report->task_id);
	if (value_require(&at) && value_read_time(&at, &report->at_ms) && report->at_ms <= 0)
		value_refuse(&at, "is before 1970");
	task_read_attempt(root, &report->attempt);
	read_origin(root, report);
	read_what_happened(root, report);
	value_read_time(&next_attempt_at, &report->next_attempt_at_ms);
}

int delivery_report_decode(struct delivery_report *report, const uint8_t *body, size_t size, struct error *err)
{
	struct document doc;
	struct delivery_report decoded;
	int r = document_open(&doc, ENCODING_JSON, body, size, err);

	if (r < 0)
		return r;
	struct value root = value_root(&doc);
	memset(&decoded, 0, sizeof(decoded));
	read_report(&root, &decoded);
	r = doc.result;
	document_close(&doc);
	if (r == 0)
		*report = decoded;
	return r;
}

void delivery_report_routing_key(const char *scene, enum delivery_outcome outcome, char out[ENVELOPE_SHORT_SIZE])
{
	snprintf(out, ENVELOPE_SHORT_SIZE, "delivery.%s.%s", scene[0] != '\0' ? scene : "unknown", outcomes[outcome]);
}
