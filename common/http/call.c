#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/percent.h"
#include "http/service_private.h"

struct http_call *call_new(struct http_service *service, struct MHD_Connection *connection)
{
	struct http_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->service = service;
	call->connection = connection;
	call->began_ns = clock_monotonic_ns();
	call->body.limit = service->settings.max_body;
	atomic_init(&call->references, 1);
	pthread_mutex_init(&call->lock, NULL);
	return call;
}

void call_unref(struct http_call *call)
{
	if (atomic_fetch_sub(&call->references, 1) != 1)
		return;
	buffer_finish(&call->body);
	pthread_mutex_destroy(&call->lock);
	free(call);
}

/* --- answers --------------------------------------------------------------------------------- */

static struct MHD_Response *new_response(const char *content_type, struct buffer *body,
					 const struct http_header *headers)
{
	size_t size = body ? body->size : 0;
	uint8_t *bytes = body ? buffer_steal(body) : NULL;
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    size, bytes ? (void *)bytes : (void *)"", bytes ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (!response) {
		free(bytes);
		return NULL;
	}
	if (content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	for (; headers && headers->name; headers++)
		MHD_add_response_header(response, headers->name, headers->value);
	return response;
}

static struct MHD_Response *new_problem(const struct http_problem *problem)
{
	struct buffer body = {0};
	struct http_header headers[4] = {0};
	unsigned count = 0;
	char seconds[16];

	snprintf(seconds, sizeof(seconds), "%d", problem->retry_after_s);
	if (problem->retry_after_s > 0)
		headers[count++] = (struct http_header){MHD_HTTP_HEADER_RETRY_AFTER, seconds};
	if (problem->allow)
		headers[count++] = (struct http_header){MHD_HTTP_HEADER_ALLOW, problem->allow};
	if (problem->authenticate)
		headers[count++] = (struct http_header){MHD_HTTP_HEADER_WWW_AUTHENTICATE, problem->authenticate};
	if (http_problem_encode(problem, &body) != 0)
		buffer_clear(&body); /* the status says enough */
	return new_response(HTTP_PROBLEM_CONTENT_TYPE, &body, headers);
}

void http_call_note(struct http_call *call, const char *name, const char *value)
{
	assert(call->note_count < HTTP_MAX_NOTES && strlen(value) < HTTP_NOTE_SIZE);
	struct note *note = &call->notes[call->note_count++];
	note->name = name;
	strcpy(note->value, value);
}

void call_answer_response(struct http_call *call, unsigned status, struct MHD_Response *response)
{
	for (unsigned i = 0; response && i < call->note_count; i++)
		MHD_add_response_header(response, call->notes[i].name, call->notes[i].value);
	pthread_mutex_lock(&call->lock);
	assert(!call->answered);
	call->answered = true;
	call->answer_status = status;
	if (!call->gone) {
		call->response = response;
		response = NULL;
	}
	if (call->suspended) {
		call->suspended = false;
		MHD_resume_connection(call->connection);
	}
	pthread_mutex_unlock(&call->lock);
	/* Not under the lock: the response of a stream takes it. */
	if (response)
		MHD_destroy_response(response);
	call_unref(call);
}

void http_call_answer(struct http_call *call, unsigned status, const char *content_type, struct buffer *body,
		      const struct http_header *headers)
{
	call_answer_response(call, status, new_response(content_type, body, headers));
}

void call_set_stream(struct http_call *call, struct http_stream *stream)
{
	pthread_mutex_lock(&call->lock);
	call->stream = stream;
	pthread_mutex_unlock(&call->lock);
}

void http_call_refuse(struct http_call *call, const struct http_problem *problem)
{
	call_answer_response(call, problem->kind->status, new_problem(problem));
}

void call_refuse_early(struct http_call *call, const struct http_problem *problem)
{
	call->refused = true;
	atomic_fetch_add(&call->references, 1);
	call_answer_response(call, problem->kind->status, new_problem(problem));
}

static enum MHD_Result queue(struct http_call *call, unsigned status, struct MHD_Response *response)
{
	if (!response)
		return MHD_NO;
	if (call->closes || atomic_load(&call->service->closing))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	call->status = status;
	enum MHD_Result r = MHD_queue_response(call->connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result queue_stopping(struct http_call *call)
{
	struct http_problem problem;

	http_problem_init(&problem, &http_problem_stopping, "%s", "");
	problem.retry_after_s = 1;
	return queue(call, problem.kind->status, new_problem(&problem));
}

enum MHD_Result call_send(struct http_call *call)
{
	pthread_mutex_lock(&call->lock);
	struct MHD_Response *response = call->response;
	bool answered = call->answered;
	bool stopped = atomic_load(&call->service->stopped);
	bool streams = call->stream != NULL;

	call->response = NULL;
	if (!answered && !stopped) {
		MHD_suspend_connection(call->connection);
		call->suspended = true;
	}
	pthread_mutex_unlock(&call->lock);
	if (streams)
		service_uncount(call);
	if (answered)
		return queue(call, call->answer_status, response);
	return stopped ? queue_stopping(call) : MHD_YES;
}

/* Under the lock: the body does not count any more among those that the service holds. */
static void give_back(struct http_call *call)
{
	if (!call->gone)
		atomic_fetch_sub(&call->service->held, call->held);
	call->held = 0;
}

void http_call_drop_body(struct http_call *call)
{
	buffer_finish(&call->body);
	pthread_mutex_lock(&call->lock);
	give_back(call);
	pthread_mutex_unlock(&call->lock);
}

void call_finish(struct http_call *call)
{
	pthread_mutex_lock(&call->lock);
	struct MHD_Response *response = call->response;

	give_back(call);
	call->gone = true;
	call->response = NULL;
	pthread_mutex_unlock(&call->lock);
	if (response)
		MHD_destroy_response(response);
	call_unref(call);
}

void call_abort(struct http_call *call)
{
	pthread_mutex_lock(&call->lock);
	if (call->suspended) {
		call->suspended = false;
		MHD_resume_connection(call->connection);
	}
	if (call->stream)
		stream_wake(call->stream);
	pthread_mutex_unlock(&call->lock);
}

/* --- what was asked ------------------------------------------------------------------------------ */

const struct http_route *http_call_route(const struct http_call *call)
{
	return call->route;
}

const struct sockaddr *http_call_address(const struct http_call *call)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

const char *http_call_parameter(const struct http_call *call, unsigned index)
{
	assert(index < call->parameters.count);
	return call->parameters.values[index];
}

const char *http_call_header(const struct http_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

struct buffer *http_call_body(struct http_call *call)
{
	return &call->body;
}

struct lookup {
	const char *name;
	const char *const *known;
	const char *value;
	const char *unknown;
	unsigned count;
};

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct lookup *lookup = arg;

	(void)kind;
	if (lookup->name && strcmp(key, lookup->name) == 0) {
		lookup->count++;
		lookup->value = value ? value : "";
	}
	for (const char *const *known = lookup->known; known && *known; known++)
		if (strcmp(key, *known) == 0)
			return MHD_YES;
	if (lookup->known && !lookup->unknown)
		lookup->unknown = key;
	return MHD_YES;
}

int http_call_query(const struct http_call *call, const char *name, char *out, size_t size)
{
	struct lookup lookup = {.name = name};

	out[0] = '\0';
	MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, look_at, &lookup);
	if (lookup.count > 1)
		return -EEXIST;
	if (lookup.count == 0)
		return 0;
	if (percent_decode(lookup.value, strlen(lookup.value), name, out, size, NULL) != 0) {
		out[0] = '\0';
		return -EINVAL;
	}
	return 1;
}

const char *http_call_unknown_query(const struct http_call *call, const char *const *known)
{
	struct lookup lookup = {.known = known};

	MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, look_at, &lookup);
	return lookup.unknown;
}
