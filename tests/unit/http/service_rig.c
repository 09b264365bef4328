#include "service_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

void rig_say(struct http_call *call, const char *text)
{
	struct buffer body = {0};

	assert_int_equal(buffer_printf(&body, "%s", text), 0);
	http_call_answer(call, 200, "text/plain", &body, NULL);
}

static void handle_echo(void *arg, struct http_call *call)
{
	struct buffer *body = http_call_body(call);
	char text[RIG_MAX_BODY + 64];

	(void)arg;
	snprintf(text, sizeof(text), "%zu:%.*s", body->size, (int)body->size, body->data ? (char *)body->data : "");
	rig_say(call, text);
}

static void handle_later(void *arg, struct http_call *call)
{
	atomic_store(&((struct service_rig *)arg)->held, call);
}

static void handle_stream(void *arg, struct http_call *call)
{
	http_call_note(call, "X-Note", "of a stream");
	struct http_stream *stream = http_call_stream(call, "text/event-stream", 65536);

	assert_non_null(stream);
	atomic_store(&((struct service_rig *)arg)->stream, stream);
}

static void handle_who(void *arg, struct http_call *call)
{
	char text[256];
	char q[16];
	int r = http_call_query(call, "q", q, sizeof(q));
	static const char *const known[] = {"q", NULL};
	const char *unknown = http_call_unknown_query(call, known);

	(void)arg;
	snprintf(text, sizeof(text), "[%s] %d [%s] %s", http_call_parameter(call, 0), r, q, unknown ? unknown : "-");
	rig_say(call, text);
}

static bool admit(void *arg, struct http_call *call, struct http_problem *problem)
{
	static const struct http_problem_kind kind = {401, "nobody", "Nobody may."};

	(void)arg;
	if (!http_call_header(call, "X-Nobody"))
		return true;
	http_problem_init(problem, &kind, "not even %s", http_call_route(call)->path);
	problem->authenticate = "Bearer";
	return false;
}

static const struct http_route routes[] = {
    {"POST", "/echo", handle_echo},
    {"GET", "/later", handle_later},
    {"GET", "/stream", handle_stream},
    {"GET", "/who/{id}/x", handle_who},
    {"GET", "/alive", handle_echo, .always = true},
};

void rig_start(struct service_rig *f, int64_t timeout_ms)
{
	const struct http_service_settings settings = {
	    .listen = "127.0.0.1:0",
	    .routes = routes,
	    .route_count = array_size(routes),
	    .arg = f,
	    .admit = admit,
	    .max_body = RIG_MAX_BODY,
	    .max_bodies = 100 * RIG_MAX_BODY,
	    .max_connections = 100,
	    .header_timeout_ms = timeout_ms,
	    .body_timeout_ms = timeout_ms,
	    .idle_timeout_ms = 60000,
	};
	struct error err;

	assert_int_equal(http_service_start(&f->service, &settings, &err), 0);
}

int rig_set_up(void **state)
{
	struct service_rig *f = calloc(1, sizeof(*f));

	rig_start(f, 60000);
	*state = f;
	return 0;
}

int rig_tear_down(void **state)
{
	struct service_rig *f = *state;

	http_service_stop(f->service);
	free(f);
	return 0;
}

int rig_dial(struct service_rig *f)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(http_service_port(f->service)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = {.tv_sec = RIG_PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void rig_put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

bool rig_read_until(int fd, char *out, size_t size, const char *until)
{
	size_t length = 0;

	out[0] = '\0';
	while (length + 1 < size && !(until && strstr(out, until))) {
		ssize_t got = recv(fd, out + length, size - 1 - length, 0);

		if (got <= 0)
			break;
		length += (size_t)got;
		out[length] = '\0';
	}
	return until ? strstr(out, until) != NULL : true;
}

int rig_ask(struct service_rig *f, const char *request, char *out, size_t size)
{
	int fd = rig_dial(f);

	rig_put(fd, request);
	rig_read_until(fd, out, size, NULL);
	close(fd);
	return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}
