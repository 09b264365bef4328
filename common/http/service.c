#include "http/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/listen.h"
#include "http/service_private.h"
#include "obs/log.h"

#define MAX_PEM_BYTES (1u << 20)

/* --- what libmicrohttpd calls ---------------------------------------------------------------------- */

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

static printf_like(2, 0) void log_fault(void *arg, const char *format, va_list args)
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
	    MHD_start_daemon(flags, 0, NULL, NULL, request_handle, service, MHD_OPTION_EXTERNAL_LOGGER, log_fault, NULL,
			     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, settings->max_connections,
			     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)((settings->idle_timeout_ms + 999) / 1000),
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVICE_CONNECTION_MEMORY,
			     MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
			     MHD_OPTION_NOTIFY_COMPLETED, request_end, service, MHD_OPTION_NOTIFY_CONNECTION,
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
