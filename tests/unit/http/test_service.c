#include "http/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "run.h"

#define PATIENCE_MS 30000
#define MAX_BODY 1000

struct fixture {
	struct http_service *service;
	_Atomic(struct http_call *) held;     /* of /later */
	_Atomic(struct http_stream *) stream; /* of /stream */
};

static void say(struct http_call *call, const char *text)
{
	struct buffer body = {0};

	assert_int_equal(buffer_printf(&body, "%s", text), 0);
	http_call_answer(call, 200, "text/plain", &body, NULL);
}

static void handle_echo(void *arg, struct http_call *call)
{
	struct buffer *body = http_call_body(call);
	char text[MAX_BODY + 64];

	(void)arg;
	snprintf(text, sizeof(text), "%zu:%.*s", body->size, (int)body->size, body->data ? (char *)body->data : "");
	say(call, text);
}

static void handle_later(void *arg, struct http_call *call)
{
	atomic_store(&((struct fixture *)arg)->held, call);
}

static void handle_stream(void *arg, struct http_call *call)
{
	http_call_note(call, "X-Note", "of a stream");
	struct http_stream *stream = http_call_stream(call, "text/event-stream", 65536);

	assert_non_null(stream);
	atomic_store(&((struct fixture *)arg)->stream, stream);
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
	say(call, text);
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

static void start(struct fixture *f, int64_t timeout_ms)
{
	const struct http_service_settings settings = {
	    .listen = "127.0.0.1:0",
	    .routes = routes,
	    .route_count = array_size(routes),
	    .arg = f,
	    .admit = admit,
	    .max_body = MAX_BODY,
	    .max_bodies = 100 * MAX_BODY,
	    .max_connections = 100,
	    .header_timeout_ms = timeout_ms,
	    .body_timeout_ms = timeout_ms,
	    .idle_timeout_ms = 60000,
	};
	struct error err;

	assert_int_equal(http_service_start(&f->service, &settings, &err), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	start(f, 60000);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_service_stop(f->service);
	free(f);
	return 0;
}

static int dial(struct fixture *f)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET,
	    .sin_port = htons(http_service_port(f->service)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until `until` was seen (NULL: until the end). Returns whether it was. */
static bool read_until(int fd, char *out, size_t size, const char *until)
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

/* One request on a connection of its own, which it asks to close. Returns the status; 0: closed without one. */
static int ask(struct fixture *f, const char *request, char *out, size_t size)
{
	int fd = dial(f);

	put(fd, request);
	read_until(fd, out, size, NULL);
	close(fd);
	return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void test_bodies(void **state)
{
	struct fixture *f = *state;
	char out[4096];

	assert_int_equal(ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
			     out, sizeof(out)),
			 200);
	assert_non_null(strstr(out, "\r\n\r\n5:hello"));
	assert_int_equal(ask(f,
			     "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
			     out, sizeof(out)),
			 200);
	assert_non_null(strstr(out, "\r\n\r\n5:abcde"));
	assert_int_equal(ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", out,
			     sizeof(out)),
			 200);
	assert_non_null(strstr(out, "\r\n\r\n0:"));
}

/* Who is refused by the headers sends a body all the same, and the connection goes on behind it. */
static void test_who_is_not_admitted(void **state)
{
	struct fixture *f = *state;
	char out[4096];
	int fd = dial(f);

	put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nX-Nobody: 1\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(read_until(fd, out, sizeof(out), "not even /echo"));
	assert_non_null(strstr(out, "HTTP/1.1 401 "));
	assert_non_null(strstr(out, "WWW-Authenticate: Bearer\r\n"));
	put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(read_until(fd, out, sizeof(out), "\r\n\r\n5:hello"));
	close(fd);
}

static void test_routes(void **state)
{
	struct fixture *f = *state;
	char out[4096];

	assert_int_equal(ask(f, GET("/who/a%2Fb%20c/x?q=%41b"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "[a/b c] 1 [Ab] -"));
	assert_int_equal(ask(f, GET("/who/z/x?r=1&q=1&q=2"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "[z] -17 [] r"));
	assert_int_equal(ask(f, GET("/who//x"), out, sizeof(out)), 400);
	assert_int_equal(ask(f, GET("/who/%zz/x"), out, sizeof(out)), 400);
	assert_int_equal(ask(f, GET("/who/%00/x"), out, sizeof(out)), 400);
	assert_int_equal(ask(f, GET("/who/a/b/x"), out, sizeof(out)), 404);
	assert_non_null(strstr(out, "application/problem+json"));
	assert_non_null(strstr(out, "\"code\":\"not_found\""));
	assert_int_equal(ask(f, GET("/echo"), out, sizeof(out)), 405);
	assert_non_null(strstr(out, "Allow: POST\r\n"));
	assert_int_equal(ask(f, "HEAD /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out, sizeof(out)), 200);
}

static void test_bodies_that_are_too_large(void **state)
{
	struct fixture *f = *state;
	char out[4096];
	char request[8192];
	char body[2 * MAX_BODY];

	assert_int_equal(ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", out, sizeof(out)),
			 413);
	memset(body, 'a', sizeof(body));
	snprintf(request, sizeof(request),
		 "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "5dc\r\n%.1500s\r\n0\r\n\r\n",
		 body);
	assert_int_equal(ask(f, request, out, sizeof(out)), 413);
	assert_non_null(strstr(out, "\"code\":\"body_too_large\""));
}

/* Whatever two readers could understand in two ways ends the connection, and what follows is not taken for a request.
 */
static void test_ambiguous_requests(void **state)
{
	static const char *const requests[] = {
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\nhello",
	    ("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
	     "transfer-encoding:chunked\r\n\r\n0\r\n\r\n"),
	    "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chu\r\n nked\r\n\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nX-Y: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nNo colon here\r\nContent-Length: 5\r\n\r\nhello",
	};
	struct fixture *f = *state;
	char out[8192];

	for (size_t i = 0; i < array_size(requests); i++) {
		char request[1024];

		snprintf(request, sizeof(request), "%s" GET("/alive"), requests[i]);
		int status = ask(f, request, out, sizeof(out));
		bool refused = status == 0 || (status >= 400 && status <= 501);
		if (!refused || strstr(out, "200 OK"))
			fail_msg("request %zu: %.*s", i, 1000, out);
	}
}

/* How else a header may look: none of it is taken for ambiguous, nor is the second request of a connection. */
static void test_headers_of_all_kinds(void **state)
{
	static const char request[] =
	    "POST /echo HTTP/1.1\r\nhost:x\r\nX-Empty:\r\nX-Space:    a  b   \r\nX-Tab:\ta\r\n"
	    "X-Twice: 1\r\nX-Twice: 2\r\nX-Colon::\r\nCONTENT-LENGTH:   2\r\n\r\nok";
	struct fixture *f = *state;
	char out[4096];
	int fd = dial(f);

	for (int i = 0; i < 2; i++) {
		put(fd, request);
		if (!read_until(fd, out, sizeof(out), "\r\n\r\n2:ok"))
			fail_msg("%s", out);
	}
	close(fd);
}

static void test_headers_have_an_end(void **state)
{
	struct fixture *f = *state;
	static char request[70000];
	char out[4096];
	int fd = dial(f);

	snprintf(request, sizeof(request), "GET /alive HTTP/1.1\r\nHost: x\r\nX: %065000d\r\n\r\n", 0);
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	read_until(fd, out, sizeof(out), NULL);
	assert_true(out[0] == '\0' || strstr(out, " 431 ") || strstr(out, " 413 "));
	close(fd);
}

static struct http_call *wait_held(struct fixture *f)
{
	struct http_call *call = NULL;

	for (int64_t until = clock_monotonic_ms() + PATIENCE_MS; !call && clock_monotonic_ms() < until;) {
		poll(NULL, 0, 1);
		call = atomic_exchange(&f->held, NULL);
	}
	assert_non_null(call);
	return call;
}

static void test_an_answer_later(void **state)
{
	struct fixture *f = *state;
	char out[4096];
	int fd = dial(f);

	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	say(wait_held(f), "one");
	assert_true(read_until(fd, out, sizeof(out), "\r\n\r\none"));
	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	say(wait_held(f), "two");
	assert_true(read_until(fd, out, sizeof(out), "\r\n\r\ntwo"));
	close(fd);
}

static void test_headers_that_any_answer_carries(void **state)
{
	static const struct http_problem_kind kind = {429, "often", "Too often."};
	struct fixture *f = *state;
	struct http_problem problem;
	char out[4096];
	int fd = dial(f);

	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(f);
	http_call_note(call, "X-One", "1");
	http_call_note(call, "X-Two", "2");
	say(call, "said");
	assert_true(read_until(fd, out, sizeof(out), "\r\n\r\nsaid"));
	assert_non_null(strstr(out, "X-One: 1\r\n"));
	assert_non_null(strstr(out, "X-Two: 2\r\n"));
	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	call = wait_held(f);
	http_call_note(call, "X-One", "3");
	http_problem_init(&problem, &kind, "%s", "wait");
	http_call_refuse(call, &problem);
	assert_true(read_until(fd, out, sizeof(out), "\"wait\""));
	assert_non_null(strstr(out, "X-One: 3\r\n"));
	assert_null(strstr(out, "X-Two"));
	close(fd);
}

static void test_a_client_that_left(void **state)
{
	struct fixture *f = *state;
	char out[4096];

	for (int i = 0; i < 20; i++) {
		int fd = dial(f);
		struct linger reset = {.l_onoff = 1};

		put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		struct http_call *call = wait_held(f);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		say(call, "nobody hears");
	}
	assert_int_equal(ask(f, GET("/alive"), out, sizeof(out)), 200);
}

static struct http_stream *wait_stream(struct fixture *f)
{
	struct http_stream *stream = NULL;

	for (int64_t until = clock_monotonic_ms() + PATIENCE_MS; !stream && clock_monotonic_ms() < until;) {
		poll(NULL, 0, 1);
		stream = atomic_exchange(&f->stream, NULL);
	}
	assert_non_null(stream);
	return stream;
}

static void test_a_stream(void **state)
{
	struct fixture *f = *state;
	char out[4096];
	int fd = dial(f);

	put(fd, GET("/stream"));
	struct http_stream *stream = wait_stream(f);
	assert_int_equal(http_stream_write(stream, "data: 1\n\n", 9), 0);
	assert_true(read_until(fd, out, sizeof(out), "data: 1\n\n"));
	assert_non_null(strstr(out, "X-Note: of a stream\r\n"));
	assert_int_equal(http_stream_write(stream, "data: 2\n\n", 9), 0);
	assert_true(read_until(fd, out, sizeof(out), "data: 2\n\n"));
	http_stream_end(stream);
	read_until(fd, out, sizeof(out), NULL); /* ends */
	close(fd);
}

static void test_a_slow_reader_is_cut_off(void **state)
{
	struct fixture *f = *state;
	char block[8192];
	int fd = dial(f);
	int r = 0;

	memset(block, 'x', sizeof(block));
	put(fd, GET("/stream"));
	struct http_stream *stream = wait_stream(f);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = http_stream_write(stream, block, sizeof(block));
	assert_int_equal(r, -EPIPE);
	assert_int_equal(http_stream_write(stream, block, 1), -EPIPE);
	http_stream_end(stream);
	close(fd);
}

static void test_slow_clients(void **state)
{
	static const char *const begun[] = {
	    "",
	    "GET /alive HTTP/1.1\r\nHo",
	    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe",
	};
	struct fixture f = {0};
	char out[4096];

	(void)state;
	start(&f, 300);
	for (size_t i = 0; i < array_size(begun); i++) {
		int fd = dial(&f);

		put(fd, begun[i]);
		read_until(fd, out, sizeof(out), NULL); /* its end comes long before the idle time-out */
		assert_null(strstr(out, "200 OK"));
		close(fd);
	}
	http_service_stop(f.service);
}

static void test_a_polite_end(void **state)
{
	struct fixture f = {0};
	char out[4096];

	(void)state;
	start(&f, 60000);
	int fd = dial(&f);
	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(&f);
	http_service_close(f.service);
	assert_int_equal(http_service_drain(f.service, 10), -ETIMEDOUT);
	assert_int_equal(ask(&f, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n", out, sizeof(out)), 503);
	assert_non_null(strstr(out, "\"code\":\"stopping\""));
	assert_int_equal(ask(&f, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n", out, sizeof(out)), 200);
	say(call, "done");
	assert_int_equal(http_service_drain(f.service, PATIENCE_MS), 0);
	assert_true(read_until(fd, out, sizeof(out), "\r\n\r\ndone"));
	close(fd);
	http_service_stop(f.service);
}

static void test_an_impolite_end(void **state)
{
	struct fixture f = {0};
	char out[4096];

	(void)state;
	start(&f, 60000);
	int fd = dial(&f);
	int listener = dial(&f);
	put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	put(listener, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(&f);
	struct http_stream *stream = wait_stream(&f);
	http_service_stop(f.service);
	read_until(fd, out, sizeof(out), NULL);
	/* Not every client hears of it in time. */
	if (strstr(out, "\"code\":\"stopping\""))
		assert_non_null(strstr(out, "Retry-After: 1\r\n"));
	read_until(listener, out, sizeof(out), NULL);
	say(call, "too late");
	assert_int_equal(http_stream_write(stream, "x", 1), -EPIPE);
	http_stream_end(stream);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_who_is_not_admitted, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bodies_that_are_too_large, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ambiguous_requests, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_headers_of_all_kinds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_headers_have_an_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_an_answer_later, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_headers_that_any_answer_carries, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_client_that_left, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_stream, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_slow_reader_is_cut_off, setup, teardown),
	    cmocka_unit_test(test_slow_clients),
	    cmocka_unit_test(test_a_polite_end),
	    cmocka_unit_test(test_an_impolite_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
