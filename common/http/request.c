/* One request as it comes in: headers, body, handed to its handler, and its end. The service's thread. */
#include <stdio.h>

#include "base/clock.h"
#include "http/framing.h"
#include "http/service_private.h"

/* --- the headers ------------------------------------------------------------------------------ */

/* True if it was refused; the connection ends with it. */
static bool refuse_ambiguous(struct http_call *call, const struct framing *framing, const char *version)
{
	struct http_problem problem;

	if (framing_is_clear(framing, version, &problem))
		return false;
	call->closes = true;
	call_refuse_early(call, &problem);
	return true;
}

static void find_route(struct http_call *call, const char *method, const char *path)
{
	const struct http_service_settings *settings = &call->service->settings;
	struct http_problem problem;
	char allow[64];

	switch (route_find(settings->routes, settings->route_count, method, path, &call->route, &call->parameters,
			   allow, sizeof(allow))) {
	case ROUTE_FOUND:
		return;
	case ROUTE_NO_PATH:
		http_problem_init(&problem, &http_problem_not_found, "%s", "");
		break;
	case ROUTE_NO_METHOD:
		http_problem_init(&problem, &http_problem_method_not_allowed, "allowed: %s", allow);
		problem.allow = allow;
		break;
	case ROUTE_BAD_PATH:
		http_problem_init(&problem, &http_problem_bad_request,
				  "a part of the path is empty, longer than %d bytes or badly encoded",
				  HTTP_PARAMETER_SIZE - 1);
		break;
	}
	call_refuse_early(call, &problem);
}

static void refuse_size(struct http_call *call)
{
	struct http_problem problem;

	http_problem_init(&problem, &http_problem_body_too_large, "at most %zu bytes are taken",
			  call->service->settings.max_body);
	call_refuse_early(call, &problem);
}

static void refuse_busy(struct http_call *call, const struct http_problem_kind *kind, const char *detail)
{
	struct http_problem problem;

	http_problem_init(&problem, kind, "%s", detail);
	problem.retry_after_s = 1;
	call_refuse_early(call, &problem);
}

static void admit(struct http_call *call)
{
	const struct http_service_settings *settings = &call->service->settings;
	struct http_problem problem;

	if (!settings->admit(settings->arg, call, &problem))
		call_refuse_early(call, &problem);
}

/* Looks at the headers. What is refused here is mostly answered when its body has been read and dropped, so that the
 * client is there to see the answer and the connection lives. */
static enum MHD_Result judge(struct http_call *call, const char *method, const char *path, const char *version)
{
	struct http_service *service = call->service;
	struct framing framing;

	framing_read(&framing, call->connection);
	if (refuse_ambiguous(call, &framing, version))
		return call_send(call);
	if (framing.length > service->settings.max_body) {
		call->closes = true;
		refuse_size(call);
		return call_send(call);
	}
	find_route(call, method, path);
	if (!call->refused && atomic_load(&service->closing) && !call->route->always)
		refuse_busy(call, &http_problem_stopping, "try another one");
	if (!call->refused && service->settings.admit)
		admit(call);
	return MHD_YES;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static struct http_call *begin(struct http_service *service, struct MHD_Connection *connection)
{
	struct http_call *call = call_new(service, connection);

	if (!call)
		return NULL;
	call->peer = peer_of(connection);
	peers_expect(&service->peers, call->peer, clock_monotonic_ms() + service->settings.body_timeout_ms);
	pthread_mutex_lock(&service->lock);
	TAILQ_INSERT_TAIL(&service->calls, call, entry);
	pthread_mutex_unlock(&service->lock);
	return call;
}

/* --- the body ----------------------------------------------------------------------------------- */

static enum MHD_Result take_body(struct http_call *call, const char *bytes, size_t size)
{
	struct http_service *service = call->service;
	size_t max = service->settings.max_body;

	call->received += size;
	/* A refusal is for those who end their body; this one does not. */
	if (call->received > 2 * max)
		return MHD_NO;
	if (call->refused)
		return MHD_YES;
	if (call->received > max) {
		refuse_size(call);
		return MHD_YES;
	}
	call->held += size;
	if (atomic_fetch_add(&service->held, size) + size > service->settings.max_bodies ||
	    buffer_append(&call->body, bytes, size) != 0)
		refuse_busy(call, &http_problem_overloaded, "too many bodies at once");
	if (call->refused)
		buffer_finish(&call->body);
	return MHD_YES;
}

static void dispatch(struct http_call *call)
{
	struct http_service *service = call->service;

	call->dispatched = true;
	peers_expect(&service->peers, call->peer, 0);
	if (call->refused)
		return;
	pthread_mutex_lock(&service->lock);
	call->counted = true;
	service->in_hand++;
	pthread_mutex_unlock(&service->lock);
	atomic_fetch_add(&call->references, 1);
	call->route->handle(service->settings.arg, call);
}

/* --- from its first headers to its end -------------------------------------------------------------- */

enum MHD_Result request_handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct http_call *call = *request;

	if (!call) {
		call = begin(arg, connection);
		*request = call;
		return call ? judge(call, method, path, version) : MHD_NO;
	}
	if (*upload_size > 0) {
		size_t size = *upload_size;

		*upload_size = 0;
		return take_body(call, upload, size);
	}
	if (!call->dispatched)
		dispatch(call);
	return call_send(call);
}

static void count(struct http_call *call)
{
	struct http_service *service = call->service;
	char status[16];
	const char *labels[] = {"route",  call->route ? call->route->path : "none",
				"method", call->route ? call->route->method : "none",
				"status", status,
				NULL};

	if (!service->settings.metrics || call->status == 0)
		return;
	snprintf(status, sizeof(status), "%u", call->status);
	metric_add(
	    metrics_counter(service->settings.metrics, "facefleet_http_requests_total", "Requests answered.", labels),
	    1);
	if (call->counted)
		metric_observe(service->seconds, clock_elapsed_ms(call->began_ns, clock_monotonic_ns()) / 1000);
}

void request_end(void *arg, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode code)
{
	struct http_service *service = arg;
	struct http_call *call = *request;

	(void)connection;
	(void)code;
	if (!call)
		return;
	*request = NULL;
	count(call);
	peers_expect(&service->peers, call->peer, clock_monotonic_ms() + service->settings.header_timeout_ms);
	service_uncount(call);
	pthread_mutex_lock(&service->lock);
	TAILQ_REMOVE(&service->calls, call, entry);
	pthread_mutex_unlock(&service->lock);
	call_finish(call);
}
