#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"
#include "run.h"

struct fixture {
	struct metrics *metrics;
	struct http_server *server;
	struct http_client *client;
	struct address_policy *policy;
	atomic_bool healthy;
	atomic_bool ready;
};

static bool say(atomic_bool *good, const char *sentence, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s", sentence);
	return atomic_load(good);
}

static bool is_healthy(void *arg, char *why, size_t why_size)
{
	return say(&((struct fixture *)arg)->healthy, "the loop stands still", why, why_size);
}

static bool is_ready(void *arg, char *why, size_t why_size)
{
	return say(&((struct fixture *)arg)->ready, "no consumer yet", why, why_size);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	f->metrics = metrics_new();
	struct http_server_settings settings = {
	    .listen = "127.0.0.1:0", .metrics = f->metrics, .healthy = is_healthy, .ready = is_ready, .arg = f};
	assert_int_equal(http_server_start(&f->server, &settings, &err), 0);
	f->client = exchange_client(&f->policy, NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	http_server_stop(f->server);
	metrics_free(f->metrics);
	free(f);
	return 0;
}

static void fetch(struct fixture *f, struct exchange *e, const char *method, const char *path)
{
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(f->server), path);
	struct http_request request = exchange_request(e, url);
	request.method = method;
	request.max_body = sizeof(e->body) - 1;
	exchange_submit(f->client, &request);
	exchange_wait(e);
	assert_int_equal(e->response.outcome, HTTP_ANSWERED);
}

static void test_metrics_page(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	metric_add(metrics_counter(f->metrics, "facefleet_test_total", "Tests.", NULL), 3);
	fetch(f, &e, "GET", "/metrics");
	assert_int_equal(e.response.status, 200);
	assert_string_equal(e.response.content_type, "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(e.body, "facefleet_test_total 3\n"));
	assert_non_null(strstr(e.body, "process_resident_memory_bytes "));
	fetch(f, &e, "GET", "/metrics?name=x");
	assert_int_equal(e.response.status, 200);
}

static void test_health_and_readiness_follow_the_program(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	fetch(f, &e, "GET", "/healthz");
	assert_int_equal(e.response.status, 503);
	assert_string_equal(e.body, "the loop stands still\n");
	fetch(f, &e, "GET", "/readyz");
	assert_int_equal(e.response.status, 503);
	assert_string_equal(e.body, "no consumer yet\n");
	atomic_store(&f->healthy, true);
	fetch(f, &e, "GET", "/healthz");
	assert_int_equal(e.response.status, 200);
	assert_string_equal(e.body, "ok\n");
	fetch(f, &e, "GET", "/readyz");
	assert_int_equal(e.response.status, 503);
	atomic_store(&f->ready, true);
	fetch(f, &e, "GET", "/readyz");
	assert_int_equal(e.response.status, 200);
}

static void test_other_paths_and_methods(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	fetch(f, &e, "GET", "/");
	assert_int_equal(e.response.status, 404);
	assert_string_equal(e.body, "not found\n");
	fetch(f, &e, "GET", "/metrics/x");
	assert_int_equal(e.response.status, 404);
	fetch(f, &e, "POST", "/metrics");
	assert_int_equal(e.response.status, 405);
	fetch(f, &e, "GET", "/healthz");
	assert_int_equal(e.response.status, 503);
}

static int connect_to(const struct fixture *f)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(http_server_port(f->server))};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Sends raw bytes and reads until the server closes. */
static void talk(const struct fixture *f, const char *request, char *answer, size_t size)
{
	int fd = connect_to(f);
	size_t got = 0;
	ssize_t n;

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	while ((n = recv(fd, answer + got, size - 1 - got, 0)) > 0)
		got += (size_t)n;
	answer[got] = '\0';
	close(fd);
}

static void test_head_has_no_body_and_connections_are_kept(void **state)
{
	struct fixture *f = *state;
	char answer[4096];

	atomic_store(&f->healthy, true);
	talk(f,
	     "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	     "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	     answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	const char *end = strstr(answer, "\r\n\r\n");
	assert_non_null(end);
	assert_memory_equal(end + 4, "HTTP/1.1 200 OK\r\n", 17); /* the second answer follows at once */
	assert_string_equal(answer + strlen(answer) - 7, "\r\n\r\nok\n");
}

static void test_a_refused_method_is_told_what_is_allowed(void **state)
{
	struct fixture *f = *state;
	char answer[4096];

	talk(f, "DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
	assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
	assert_non_null(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
}

static void test_a_listen_address_in_use_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct http_server *second = NULL;
	char where[32];
	struct error err = {0};

	snprintf(where, sizeof(where), "127.0.0.1:%u", http_server_port(f->server));
	struct http_server_settings settings = {.listen = where, .metrics = f->metrics};
	assert_true(http_server_start(&second, &settings, &err) < 0);
	assert_null(second);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.text, where));
}

static void test_stop_ends_open_connections(void **state)
{
	struct fixture *f = *state;
	int idle = connect_to(f);
	char byte;

	http_server_stop(f->server);
	f->server = NULL;
	assert_true(recv(idle, &byte, 1, 0) <= 0);
	close(idle);
	http_server_stop(NULL);
}

static void test_without_functions_it_is_healthy(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	struct error err;
	struct http_server_settings settings = {.listen = "127.0.0.1:0", .metrics = f->metrics};

	http_server_stop(f->server);
	f->server = NULL;
	assert_int_equal(http_server_start(&f->server, &settings, &err), 0);
	fetch(f, &e, "GET", "/readyz");
	assert_int_equal(e.response.status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_metrics_page),
    TEST(test_health_and_readiness_follow_the_program),
    TEST(test_other_paths_and_methods),
    TEST(test_head_has_no_body_and_connections_are_kept),
    TEST(test_a_refused_method_is_told_what_is_allowed),
    TEST(test_a_listen_address_in_use_is_an_error),
    TEST(test_stop_ends_open_connections),
    TEST(test_without_functions_it_is_healthy),
};

RUN_TESTS(tests)
