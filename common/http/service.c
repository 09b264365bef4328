#include "http/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/listen.h"
#include "http/service_private.h"
#include "obs/log.h"

#define CONNECTION_MEMORY 32768 /* bounds request line and headers: above it 431 */
#define MAX_PEM_BYTES (1u << 20)
/* What a header's name is made of (RFC 9110, 5.6.2). */
#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* --- the headers ------------------------------------------------------------------------------ */

struct framing {
	unsigned transfer_encodings;
	unsigned content_lengths;
	unsigned hosts;
	bool chunked;
	bool bad_length;
	bool bad_name;
	bool folded;
	uint64_t length;
};

static void read_length(struct framing *framing, const char *value)
{
	size_t digits = strspn(value, "0123456789");

	/* 15 digits: more than anybody is allowed, and no overflow. */
	framing->bad_length = framing->bad_length || digits == 0 || digits > 15 || value[digits] != '\0';
	framing->length = framing->bad_length ? 0 : strtoull(value, NULL, 10);
}

/*
 * libmicrohttpd puts a value that goes on in the next line together without a trace of it. But it does so in another
 * place, while a value of one line stays where it was read, behind the name, the colon and spaces. RFC 9112, 5.2 wants
 * such a request refused.
 */
static bool is_folded(const char *key, const char *value)
{
	uintptr_t at = (uintptr_t)key + strlen(key) + 1; /* the colon, now the end of the name */
	uintptr_t to = (uintptr_t)value;

	if (to < at || to - at > CONNECTION_MEMORY)
		return true;
	for (const char *c = (const char *)at; c < value; c++)
		if (*c != ' ' && *c != '\t' && *c != ':' && *c != '\0')
			return true;
	return false;
}

static enum MHD_Result look_at_header(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct framing *framing = arg;

	(void)kind;
	value = value ? value : "";
	/* "Content-Length : 5" is another header to libmicrohttpd, and this one to others. */
	if (key[0] == '\0' || key[strspn(key, TOKEN)] != '\0')
		framing->bad_name = true;
	if (value && value[0] != '\0' && is_folded(key, value))
		framing->folded = true;
	if (strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0) {
		framing->hosts++;
	} else if (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		framing->content_lengths++;
		read_length(framing, value);
	} else if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		framing->transfer_encodings++;
		framing->chunked = strcasecmp(value, "chunked") == 0;
	}
	return MHD_YES;
}

/*
 * Refuses what two readers could understand in two ways (RFC 9112, 6.3 and 11.2): then one of them may take a part of
 * this request for another one. True if it was refused; the connection ends with it.
 */
static bool refuse_ambiguous(struct http_call *call, const struct framing *framing, const char *version)
{
	struct http_problem problem;
	const struct http_problem_kind *bad = &http_problem_bad_request;

	if (framing->transfer_encodings > 0 && framing->content_lengths > 0)
		http_problem_init(&problem, bad, "has both Transfer-Encoding and Content-Length");
	else if (framing->transfer_encodings > 0 && strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
		http_problem_init(&problem, bad, "has a Transfer-Encoding, which only HTTP/1.1 knows");
	else if (framing->transfer_encodings > 1 || (framing->transfer_encodings == 1 && !framing->chunked))
		http_problem_init(&problem, &http_problem_transfer_coding, "only chunked is known");
	else if (framing->content_lengths > 1 || framing->bad_length)
		http_problem_init(&problem, bad, "has no sensible Content-Length");
	else if (framing->folded)
		http_problem_init(&problem, bad, "has a header that goes on in the next line");
	else if (framing->bad_name)
		http_problem_init(&problem, bad, "has a header with a malformed name");
	else if (framing->hosts > 1)
		http_problem_init(&problem, bad, "has more than one Host");
	else
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
	struct framing framing = {0};

	MHD_get_connection_values(call->connection, MHD_HEADER_KIND, look_at_header, &framing);
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

/* --- what libmicrohttpd calls ---------------------------------------------------------------------- */

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
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

void service_uncount(struct http_call *call)
{
	struct http_service *service = call->service;

	if (!call->counted)
		return;
	call->counted = false;
	pthread_mutex_lock(&service->lock);
	if (--service->in_hand == 0)
		pthread_cond_broadcast(&service->changed);
	pthread_mutex_unlock(&service->lock);
}

static void end_request(void *arg, struct MHD_Connection *connection, void **request,
			enum MHD_RequestTerminationCode code)
{
	struct http_service *service = arg;
	struct http_call *call = *request;

	(void)connection;
	(void)code;
	if (!call)
		return;
	*request = NULL;
	count(call);
	atomic_fetch_sub(&service->held, call->held);
	peers_expect(&service->peers, call->peer, clock_monotonic_ms() + service->settings.header_timeout_ms);
	service_uncount(call);
	pthread_mutex_lock(&service->lock);
	TAILQ_REMOVE(&service->calls, call, entry);
	pthread_mutex_unlock(&service->lock);
	call_finish(call);
}

static void note_connection(void *arg, struct MHD_Connection *connection, void **context,
			    enum MHD_ConnectionNotificationCode code)
{
	struct http_service *service = arg;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
		    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		*context = peers_add(&service->peers, info->connect_fd,
				     clock_monotonic_ms() + service->settings.header_timeout_ms);
	} else {
		peers_remove(&service->peers, *context);
		*context = NULL;
	}
}

/* The path and the query are decoded where they are used: a %2F is no slash. */
static size_t leave_encoded(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return strlen(text);
}

static void log_fault(void *arg, const char *format, va_list args)
{
	char text[256];

	(void)arg;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug(NULL, "http", log_string("what", text));
}

/* --- making and undoing ----------------------------------------------------------------------------- */

struct pem {
	struct buffer cert;
	struct buffer key;
};

static int read_pem(struct pem *pem, const struct http_service_settings *settings, struct error *err)
{
	int r = buffer_read_file(&pem->cert, settings->cert_file, MAX_PEM_BYTES, err);

	return r == 0 ? buffer_read_file(&pem->key, settings->key_file ? settings->key_file : "", MAX_PEM_BYTES, err)
		      : r;
}

static struct MHD_Daemon *start_daemon(struct http_service *service, int fd, const struct pem *pem)
{
	const struct http_service_settings *settings = &service->settings;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[] = {
	    {MHD_OPTION_HTTPS_MEM_CERT, 0, pem->cert.data},
	    {MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key.data},
	    {MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	sigset_t all;
	sigset_t before;

	if (pem->cert.data)
		flags |= MHD_USE_TLS;
	/* The thread inherits the mask; signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct MHD_Daemon *daemon =
	    MHD_start_daemon(flags, 0, NULL, NULL, handle, service, MHD_OPTION_EXTERNAL_LOGGER, log_fault, NULL,
			     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, settings->max_connections,
			     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((settings->idle_timeout_ms + 999) / 1000),
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
			     MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
			     MHD_OPTION_NOTIFY_COMPLETED, end_request, service, MHD_OPTION_NOTIFY_CONNECTION,
			     note_connection, service, MHD_OPTION_ARRAY, pem->cert.data ? tls : none, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

static void destroy(struct http_service *service)
{
	peers_finish(&service->peers);
	pthread_cond_destroy(&service->changed);
	pthread_mutex_destroy(&service->lock);
	free(service);
}

static struct http_service *service_new(const struct http_service_settings *settings)
{
	struct http_service *service = calloc(1, sizeof(*service));
	pthread_condattr_t attributes;

	if (!service)
		return NULL;
	service->settings = *settings;
	TAILQ_INIT(&service->calls);
	peers_init(&service->peers);
	pthread_mutex_init(&service->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&service->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (settings->metrics)
		service->seconds = metrics_histogram(settings->metrics, "facefleet_http_request_seconds",
						     "From the end of a request's headers to the end of its answer.",
						     NULL, metrics_latency_bounds, metrics_latency_bound_count);
	return service;
}

static int start(struct http_service *service, struct error *err)
{
	const struct http_service_settings *settings = &service->settings;
	bool encrypted = settings->cert_file && settings->cert_file[0] != '\0';
	struct pem pem = {0};
	int r = encrypted ? read_pem(&pem, settings, err) : 0;
	int fd = r == 0 ? listen_open(settings->listen, &service->port, err) : r;

	if (fd >= 0) {
		r = peers_start(&service->peers);
		service->daemon = start_daemon(service, fd, &pem);
		if (r < 0 || !service->daemon) {
			error_set(err, ERROR_CONFIG, "cannot serve on %.100s%s", settings->listen,
				  encrypted ? ": is the certificate the key's?" : "");
			r = -EIO;
		}
	} else {
		r = fd;
	}
	buffer_finish(&pem.cert);
	if (pem.key.data)
		explicit_bzero(pem.key.data, pem.key.size);
	buffer_finish(&pem.key);
	return r;
}

int http_service_start(struct http_service **out, const struct http_service_settings *settings, struct error *err)
{
	struct http_service *service = service_new(settings);

	if (!service) {
		error_set(err, ERROR_CONFIG, "cannot listen on %.100s: out of memory", settings->listen);
		return -ENOMEM;
	}
	int r = start(service, err);
	if (r < 0) {
		http_service_stop(service);
		return r;
	}
	log_info(NULL, "listening", log_string("address", settings->listen), log_integer("port", service->port));
	service->settings.listen = NULL; /* borrowed, and not needed any more */
	*out = service;
	return 0;
}

uint16_t http_service_port(const struct http_service *service)
{
	return service->port;
}

void http_service_close(struct http_service *service)
{
	atomic_store(&service->closing, true);
}

int http_service_drain(struct http_service *service, int64_t timeout_ms)
{
	struct timespec until = clock_timespec_in_ms(timeout_ms);
	int r = 0;

	pthread_mutex_lock(&service->lock);
	while (service->in_hand > 0 && r == 0)
		r = pthread_cond_timedwait(&service->changed, &service->lock, &until);
	r = service->in_hand > 0 ? -ETIMEDOUT : 0;
	pthread_mutex_unlock(&service->lock);
	return r;
}

static void abort_calls(struct http_service *service)
{
	struct http_call *call;

	atomic_store(&service->closing, true);
	atomic_store(&service->stopped, true);
	pthread_mutex_lock(&service->lock);
	TAILQ_FOREACH(call, &service->calls, entry)
	{
		call_abort(call);
	}
	pthread_mutex_unlock(&service->lock);
}

void http_service_stop(struct http_service *service)
{
	if (!service)
		return;
	if (service->daemon) {
		abort_calls(service);
		MHD_stop_daemon(service->daemon);
	}
	destroy(service);
}
