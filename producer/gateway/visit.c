#include "visit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

/* Copies a header if it fits; what does not is as good as absent. */
static bool copy_header(const struct http_call *call, const char *name, char *out, size_t size)
{
	const char *value = http_call_header(call, name);

	out[0] = '\0';
	if (!value || (size_t)snprintf(out, size, "%s", value) < size)
		return value != NULL;
	out[0] = '\0';
	return false;
}

struct visit *visit_new(struct http_call *call, visit_fn *handle, enum key_scope scope, int64_t max_wait_ms)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->call = call;
	visit->received_ns = clock_monotonic_ns();
	visit->handle = handle;
	visit->scope = scope;
	visit->credentials_kind = keyring_read(http_call_header(call, "Authorization"),
					       http_call_header(call, "X-API-Key"), &visit->credentials);
	if (http_call_address(call))
		rate_limit_name_address(http_call_address(call), visit->address);
	visit->has_idempotency_key = http_call_header(call, "Idempotency-Key") != NULL;
	copy_header(call, "Idempotency-Key", visit->idempotency_key, sizeof(visit->idempotency_key));
	visit->has_content_type = copy_header(call, "Content-Type", visit->content_type, sizeof(visit->content_type));
	copy_header(call, "traceparent", visit->traceparent, sizeof(visit->traceparent));
	copy_header(call, "tracestate", visit->tracestate, sizeof(visit->tracestate));
	prefer_read(&visit->prefer, http_call_header(call, "Prefer"), max_wait_ms);
	return visit;
}

void visit_free(struct visit *visit)
{
	free(visit);
}

void visit_refuse(struct visit *visit, const struct http_problem *problem)
{
	http_call_refuse(visit->call, problem);
	visit_free(visit);
}

void visit_refuse_as(struct visit *visit, const struct http_problem_kind *kind, const char *detail, int retry_after_s)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	problem.retry_after_s = retry_after_s;
	visit_refuse(visit, &problem);
}

void visit_refuse_busy(struct http_call *call, const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, &http_problem_overloaded, "%s", detail);
	problem.retry_after_s = 1;
	http_call_refuse(call, &problem);
}
