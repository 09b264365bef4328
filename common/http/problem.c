#include "http/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "job/writer.h"

const struct http_problem_kind http_problem_bad_request = {400, "bad_request", "The request is malformed."};
const struct http_problem_kind http_problem_not_found = {404, "not_found", "There is nothing at this path."};
const struct http_problem_kind http_problem_method_not_allowed = {405, "method_not_allowed",
								  "The path does not know this method."};
const struct http_problem_kind http_problem_body_too_large = {413, "body_too_large", "The body is too large."};
const struct http_problem_kind http_problem_transfer_coding = {501, "transfer_coding",
							       "The transfer coding is not known."};
const struct http_problem_kind http_problem_overloaded = {503, "overloaded", "There is too much to do."};
const struct http_problem_kind http_problem_stopping = {503, "stopping", "The service is stopping."};

void http_problem_init(struct http_problem *problem, const struct http_problem_kind *kind, const char *fmt, ...)
{
	va_list args;

	*problem = (struct http_problem){.kind = kind};
	va_start(args, fmt);
	vsnprintf(problem->detail, sizeof(problem->detail), fmt, args);
	va_end(args);
}

int http_problem_encode(const struct http_problem *problem, struct buffer *out)
{
	struct writer w;
	char type[96];

	snprintf(type, sizeof(type), "urn:facefleet:problem:%s", problem->kind->code);
	writer_init(&w, ENCODING_JSON, out);
	writer_open_map(&w, NULL);
	writer_string(&w, "type", type);
	writer_string(&w, "title", problem->kind->title);
	writer_integer(&w, "status", problem->kind->status);
	writer_string(&w, "code", problem->kind->code);
	if (problem->detail[0] != '\0')
		writer_string(&w, "detail", problem->detail);
	if (problem->field[0] != '\0')
		writer_string(&w, "field", problem->field);
	if (problem->task_id[0] != '\0')
		writer_string(&w, "task_id", problem->task_id);
	writer_close(&w);
	return writer_finish(&w);
}
