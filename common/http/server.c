#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "http/listen.h"
#include "obs/log.h"

#define MAX_CONNECTIONS 64
#define IDLE_TIMEOUT_S 10
#define CONNECTION_MEMORY 16384 /* bounds request line and headers */
#define MAX_ANSWER (32u << 20)

struct http_server {
	struct MHD_Daemon *daemon;
	uint16_t port;
	struct http_server_settings settings;
};

/* What a route answers with. Zero-initialised but for the body's limit. */
struct answer {
	unsigned status;
	const char *content_type;
	struct buffer body;
};

struct route {
	const char *path;
	int (*fill)(const struct http_server *server, struct answer *answer);
};

static int fill_text(struct answer *answer, unsigned status, const char *text)
{
	answer->status = status;
	answer->content_type = "text/plain; charset=utf-8";
	return buffer_printf(&answer->body, "%s\n", text);
}

static int fill_metrics(const struct http_server *server, struct answer *answer)
{
	answer->status = MHD_HTTP_OK;
	answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
	return metrics_render(server->settings.metrics, &answer->body);
}

static int fill_state(const struct http_server *server, struct answer *answer,
		      bool (*is_good)(void *arg, char *why, size_t why_size))
{
	char why[256] = "";

	if (!is_good || is_good(server->settings.arg, why, sizeof(why)))
		return fill_text(answer, MHD_HTTP_OK, "ok");
	return fill_text(answer, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

static int fill_health(const struct http_server *server, struct answer *answer)
{
	return fill_state(server, answer, server->settings.healthy);
}

static int fill_readiness(const struct http_server *server, struct answer *answer)
{
	return fill_state(server, answer, server->settings.ready);
}

static const struct route routes[] = {
    {"/metrics", fill_metrics},
    {"/healthz", fill_health},
    {"/readyz", fill_readiness},
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < array_size(routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

/* Takes the answer's body. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
{
	size_t size = answer->body.size;
	uint8_t *body = buffer_steal(&answer->body);
	struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	enum MHD_Result r = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **request)
{
	static int headers_seen; /* its address marks a request whose headers were seen */
	const struct http_server *server = arg;
	const struct route *route = find_route(path);
	struct answer answer = {.body = {.limit = MAX_ANSWER}};
	int r;

	(void)version;
	(void)upload;
	bool readable = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	if (readable && !*request) {
		/* An answer at this point would cost the connection: libmicrohttpd takes it for a refusal. */
		*request = &headers_seen;
		return MHD_YES;
	}
	if (*upload_size > 0)
		return MHD_NO;
	if (!route)
		r = fill_text(&answer, MHD_HTTP_NOT_FOUND, "not found");
	else if (!readable)
		r = fill_text(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
	else
		r = route->fill(server, &answer);
	if (r < 0) {
		buffer_finish(&answer.body);
		r = fill_text(&answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
	}
	return r < 0 ? MHD_NO : send_answer(connection, &answer);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int fd)
{
	sigset_t all;
	sigset_t before;

	/* The server's thread inherits the mask; signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	struct MHD_Daemon *daemon = MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int http_server_start(struct http_server **out, const struct http_server_settings *settings, struct error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server) {
		error_set(err, ERROR_CONFIG, "cannot listen on %.100s: out of memory", settings->listen);
		return -ENOMEM;
	}
	server->settings = *settings;
	server->settings.listen = NULL; /* borrowed, and not needed any more */
	int fd = listen_open(settings->listen, &server->port, err);
	if (fd < 0) {
		free(server);
		return fd;
	}
	server->daemon = start_daemon(server, fd);
	if (!server->daemon) {
		free(server); /* the socket went with the attempt */
		error_set(err, ERROR_CONFIG, "cannot serve on %.100s: libmicrohttpd does not start", settings->listen);
		return -EIO;
	}
	/* With port 0 nobody knows it otherwise. */
	log_info(NULL, "listening", log_string("address", settings->listen), log_integer("port", server->port));
	*out = server;
	return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	MHD_stop_daemon(server->daemon);
	free(server);
}
