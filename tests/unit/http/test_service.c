#include "http/service.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "run.h"
#include "service_rig.h"

static void test_bodies(void **state)
{
	struct service_rig *f = *state;
	char out[4096];

	assert_int_equal(
	    rig_ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", out,
		    sizeof(out)),
	    200);
	assert_non_null(strstr(out, "\r\n\r\n5:hello"));
	assert_int_equal(
	    rig_ask(f,
		    "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		    out, sizeof(out)),
	    200);
	assert_non_null(strstr(out, "\r\n\r\n5:abcde"));
	assert_int_equal(rig_ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
				 out, sizeof(out)),
			 200);
	assert_non_null(strstr(out, "\r\n\r\n0:"));
}

/* Who is refused by the headers sends a body all the same, and the connection goes on behind it. */
static void test_who_is_not_admitted(void **state)
{
	struct service_rig *f = *state;
	char out[4096];
	int fd = rig_dial(f);

	rig_put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nX-Nobody: 1\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(rig_read_until(fd, out, sizeof(out), "not even /echo"));
	assert_non_null(strstr(out, "HTTP/1.1 401 "));
	assert_non_null(strstr(out, "WWW-Authenticate: Bearer\r\n"));
	rig_put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(rig_read_until(fd, out, sizeof(out), "\r\n\r\n5:hello"));
	close(fd);
}

static void test_routes(void **state)
{
	struct service_rig *f = *state;
	char out[4096];

	assert_int_equal(rig_ask(f, GET("/who/a%2Fb%20c/x?q=%41b"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "[a/b c] 1 [Ab] -"));
	assert_int_equal(rig_ask(f, GET("/who/z/x?r=1&q=1&q=2"), out, sizeof(out)), 200);
	assert_non_null(strstr(out, "[z] -17 [] r"));
	assert_int_equal(rig_ask(f, GET("/who//x"), out, sizeof(out)), 400);
	assert_int_equal(rig_ask(f, GET("/who/%zz/x"), out, sizeof(out)), 400);
	assert_int_equal(rig_ask(f, GET("/who/%00/x"), out, sizeof(out)), 400);
	assert_int_equal(rig_ask(f, GET("/who/a/b/x"), out, sizeof(out)), 404);
	assert_non_null(strstr(out, "application/problem+json"));
	assert_non_null(strstr(out, "\"code\":\"not_found\""));
	assert_int_equal(rig_ask(f, GET("/echo"), out, sizeof(out)), 405);
	assert_non_null(strstr(out, "Allow: POST\r\n"));
	assert_int_equal(rig_ask(f, "HEAD /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", out, sizeof(out)),
			 200);
}

static void test_bodies_that_are_too_large(void **state)
{
	struct service_rig *f = *state;
	char out[4096];
	char request[8192];
	char body[2 * RIG_MAX_BODY];

	assert_int_equal(rig_ask(f, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", out, sizeof(out)),
			 413);
	memset(body, 'a', sizeof(body));
	snprintf(request, sizeof(request),
		 "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "5dc\r\n%.1500s\r\n0\r\n\r\n",
		 body);
	assert_int_equal(rig_ask(f, request, out, sizeof(out)), 413);
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
	struct service_rig *f = *state;
	char out[8192];

	for (size_t i = 0; i < array_size(requests); i++) {
		char request[1024];

		snprintf(request, sizeof(request), "%s" GET("/alive"), requests[i]);
		int status = rig_ask(f, request, out, sizeof(out));
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
	struct service_rig *f = *state;
	char out[4096];
	int fd = rig_dial(f);

	for (int i = 0; i < 2; i++) {
		rig_put(fd, request);
		if (!rig_read_until(fd, out, sizeof(out), "\r\n\r\n2:ok"))
			fail_msg("%s", out);
	}
	close(fd);
}

static void test_headers_have_an_end(void **state)
{
	struct service_rig *f = *state;
	static char request[70000];
	char out[4096];
	int fd = rig_dial(f);

	snprintf(request, sizeof(request), "GET /alive HTTP/1.1\r\nHost: x\r\nX: %065000d\r\n\r\n", 0);
	send(fd, request, strlen(request), MSG_NOSIGNAL);
	rig_read_until(fd, out, sizeof(out), NULL);
	assert_true(out[0] == '\0' || strstr(out, " 431 ") || strstr(out, " 413 "));
	close(fd);
}

static struct http_call *wait_held(struct service_rig *f)
{
	struct http_call *call = NULL;

	for (int64_t until = clock_monotonic_ms() + RIG_PATIENCE_MS; !call && clock_monotonic_ms() < until;) {
		poll(NULL, 0, 1);
		call = atomic_exchange(&f->held, NULL);
	}
	assert_non_null(call);
	return call;
}

static void test_an_answer_later(void **state)
{
	struct service_rig *f = *state;
	char out[4096];
	int fd = rig_dial(f);

	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	rig_say(wait_held(f), "one");
	assert_true(rig_read_until(fd, out, sizeof(out), "\r\n\r\none"));
	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	rig_say(wait_held(f), "two");
	assert_true(rig_read_until(fd, out, sizeof(out), "\r\n\r\ntwo"));
	close(fd);
}

static void test_headers_that_any_answer_carries(void **state)
{
	static const struct http_problem_kind kind = {429, "often", "Too often."};
	struct service_rig *f = *state;
	struct http_problem problem;
	char out[4096];
	int fd = rig_dial(f);

	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(f);
	http_call_note(call, "X-One", "1");
	http_call_note(call, "X-Two", "2");
	rig_say(call, "said");
	assert_true(rig_read_until(fd, out, sizeof(out), "\r\n\r\nsaid"));
	assert_non_null(strstr(out, "X-One: 1\r\n"));
	assert_non_null(strstr(out, "X-Two: 2\r\n"));
	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	call = wait_held(f);
	http_call_note(call, "X-One", "3");
	http_problem_init(&problem, &kind, "%s", "wait");
	http_call_refuse(call, &problem);
	assert_true(rig_read_until(fd, out, sizeof(out), "\"wait\""));
	assert_non_null(strstr(out, "X-One: 3\r\n"));
	assert_null(strstr(out, "X-Two"));
	close(fd);
}

static void test_a_client_that_left(void **state)
{
	struct service_rig *f = *state;
	char out[4096];

	for (int i = 0; i < 20; i++) {
		int fd = rig_dial(f);
		struct linger reset = {.l_onoff = 1};

		rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
		struct http_call *call = wait_held(f);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		rig_say(call, "nobody hears");
	}
	assert_int_equal(rig_ask(f, GET("/alive"), out, sizeof(out)), 200);
}

static struct http_stream *wait_stream(struct service_rig *f)
{
	struct http_stream *stream = NULL;

	for (int64_t until = clock_monotonic_ms() + RIG_PATIENCE_MS; !stream && clock_monotonic_ms() < until;) {
		poll(NULL, 0, 1);
		stream = atomic_exchange(&f->stream, NULL);
	}
	assert_non_null(stream);
	return stream;
}

static void test_a_stream(void **state)
{
	struct service_rig *f = *state;
	char out[4096];
	int fd = rig_dial(f);

	rig_put(fd, GET("/stream"));
	struct http_stream *stream = wait_stream(f);
	assert_int_equal(http_stream_write(stream, "data: 1\n\n", 9), 0);
	assert_true(rig_read_until(fd, out, sizeof(out), "data: 1\n\n"));
	assert_non_null(strstr(out, "X-Note: of a stream\r\n"));
	assert_int_equal(http_stream_write(stream, "data: 2\n\n", 9), 0);
	assert_true(rig_read_until(fd, out, sizeof(out), "data: 2\n\n"));
	http_stream_end(stream);
	rig_read_until(fd, out, sizeof(out), NULL); /* ends */
	close(fd);
}

static void test_a_slow_reader_is_cut_off(void **state)
{
	struct service_rig *f = *state;
	char block[8192];
	int fd = rig_dial(f);
	int r = 0;

	memset(block, 'x', sizeof(block));
	rig_put(fd, GET("/stream"));
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
	struct service_rig f = {0};
	char out[4096];

	(void)state;
	rig_start(&f, 300);
	for (size_t i = 0; i < array_size(begun); i++) {
		int fd = rig_dial(&f);

		rig_put(fd, begun[i]);
		rig_read_until(fd, out, sizeof(out), NULL); /* its end comes long before the idle time-out */
		assert_null(strstr(out, "200 OK"));
		close(fd);
	}
	http_service_stop(f.service);
}

static void test_a_polite_end(void **state)
{
	struct service_rig f = {0};
	char out[4096];

	(void)state;
	rig_start(&f, 60000);
	int fd = rig_dial(&f);
	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(&f);
	http_service_close(f.service);
	assert_int_equal(http_service_drain(f.service, 10), -ETIMEDOUT);
	assert_int_equal(rig_ask(&f, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n", out, sizeof(out)), 503);
	assert_non_null(strstr(out, "\"code\":\"stopping\""));
	assert_int_equal(rig_ask(&f, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\n", out, sizeof(out)), 200);
	rig_say(call, "done");
	assert_int_equal(http_service_drain(f.service, RIG_PATIENCE_MS), 0);
	assert_true(rig_read_until(fd, out, sizeof(out), "\r\n\r\ndone"));
	close(fd);
	http_service_stop(f.service);
}

static void test_an_impolite_end(void **state)
{
	struct service_rig f = {0};
	char out[4096];

	(void)state;
	rig_start(&f, 60000);
	int fd = rig_dial(&f);
	int listener = rig_dial(&f);
	rig_put(fd, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	rig_put(listener, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	struct http_call *call = wait_held(&f);
	struct http_stream *stream = wait_stream(&f);
	http_service_stop(f.service);
	rig_read_until(fd, out, sizeof(out), NULL);
	/* Not every client hears of it in time. */
	if (strstr(out, "\"code\":\"stopping\""))
		assert_non_null(strstr(out, "Retry-After: 1\r\n"));
	rig_read_until(listener, out, sizeof(out), NULL);
	rig_say(call, "too late");
	assert_int_equal(http_stream_write(stream, "x", 1), -EPIPE);
	http_stream_end(stream);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_bodies, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_who_is_not_admitted, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_routes, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_bodies_that_are_too_large, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_ambiguous_requests, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_headers_of_all_kinds, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_headers_have_an_end, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_an_answer_later, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_headers_that_any_answer_carries, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_a_client_that_left, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_a_stream, rig_set_up, rig_tear_down),
	    cmocka_unit_test_setup_teardown(test_a_slow_reader_is_cut_off, rig_set_up, rig_tear_down),
	    cmocka_unit_test(test_slow_clients),
	    cmocka_unit_test(test_a_polite_end),
	    cmocka_unit_test(test_an_impolite_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
