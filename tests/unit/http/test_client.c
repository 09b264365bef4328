#include "http/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"
#include "peer.h"
#include "run.h"

#define LOOPBACK "127.0.0.0/8"

/* A peer and a client that may talk to it, for every test. */
struct fixture {
	struct peer *peer;
	struct address_policy *policy;
	struct http_client *client;
	char url[128];
};

static const char *url_on(struct fixture *f, const char *host, const char *path)
{
	snprintf(f->url, sizeof(f->url), "http://%s:%u%s", host, peer_port(f->peer), path);
	return f->url;
}

static const char *url(struct fixture *f, const char *path)
{
	return url_on(f, "127.0.0.1", path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->peer = peer_start();
	f->client = exchange_client(&f->policy, LOOPBACK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	address_policy_free(f->policy);
	peer_stop(f->peer);
	free(f);
	return 0;
}

/* Puts a client with other limits in the place of the fixture's. */
static void limit(struct fixture *f, unsigned connections, unsigned per_host)
{
	struct http_client_settings settings = {.name = "test",
						.user_agent = "test",
						.policy = f->policy,
						.max_connections = connections,
						.max_connections_per_host = per_host};
	struct error err;

	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(http_client_new(&f->client, &settings, &err), 0);
}

static void test_get(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	assert_int_equal(e.response.status, 200);
	assert_int_equal(e.response.body_size, 5);
	assert_string_equal(e.body, "hello");
	assert_string_equal(e.response.content_type, "text/plain");
	assert_true(e.response.retry_after_ms == -1);
	assert_true(e.response.elapsed_ms > 0);
	assert_string_equal(e.response.text, "");
}

static void test_post_sends_body_and_headers(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	char body[] = "{\"a\":1}";
	struct http_request request = exchange_request(&e, url(f, "/echo"));

	request.method = "POST";
	request.body = (uint8_t *)body;
	request.body_size = strlen(body);
	request.headers = (const char *const[]){"Content-Type: application/json", "webhook-id: 7", NULL};
	exchange_submit(f->client, &request);
	memset(body, 'x', strlen(body)); /* it was copied */
	exchange_wait(&e);
	assert_string_equal(e.body, "{\"a\":1}");

	request = exchange_request(&e, url(f, "/headers"));
	request.method = "POST";
	request.headers = (const char *const[]){"Content-Type: application/json", "webhook-id: 7", NULL};
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_memory_equal(e.body, "POST /headers HTTP/1.1\r\n", 24);
	assert_non_null(strstr(e.body, "\r\nwebhook-id: 7\r\n"));
	assert_non_null(strstr(e.body, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(e.body, "\r\nUser-Agent: facefleet-test\r\n"));
	assert_null(strstr(e.body, "Expect"));
	assert_null(strstr(e.body, "Accept-Encoding"));
}

static void test_a_large_post_does_not_wait_for_permission(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	static uint8_t body[60000];
	struct http_request request = exchange_request(&e, url(f, "/echo"));

	memset(body, 'b', sizeof(body));
	request.method = "POST";
	request.body = body;
	request.body_size = sizeof(body);
	request.max_body = sizeof(body);
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	assert_int_equal(e.response.body_size, sizeof(body));
}

static void test_connections_are_reused(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	for (int i = 0; i < 10; i++) {
		exchange_get(f->client, &e, url(f, i % 2 ? "/ok" : "/retry-seconds"));
		assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	}
	assert_int_equal(peer_requests(f->peer), 10);
	assert_int_equal(peer_connections(f->peer), 1);
}

static void test_redirects_are_not_followed(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	exchange_get(f->client, &e, url(f, "/redirect"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	assert_int_equal(e.response.status, 302);
	assert_int_equal(peer_requests(f->peer), 1);
}

static void test_retry_after(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	exchange_get(f->client, &e, url(f, "/retry-seconds"));
	assert_int_equal(e.response.status, 429);
	assert_true(e.response.retry_after_ms == 7000);
	exchange_get(f->client, &e, url(f, "/retry-date"));
	assert_int_equal(e.response.status, 503);
	assert_true(e.response.retry_after_ms > 3000 * 1000 && e.response.retry_after_ms <= 3600 * 1000);
}

static void check_refused(struct fixture *f, const char *to)
{
	struct exchange e;

	exchange_get(f->client, &e, to);
	if (e.response.outcome != HTTP_REFUSED)
		fail_msg("%s: outcome %d, %s", to, (int)e.response.outcome, e.response.text);
	assert_true(e.response.text[0] != '\0');
	assert_int_equal(peer_connections(f->peer), 0);
}

static void test_private_addresses_are_refused_however_spelled(void **state)
{
	static const char *const hosts[] = {"127.0.0.1",  "localhost", "LOCALHOST",          "0x7f.1",
					    "2130706433", "0",         "[::ffff:127.0.0.1]", "[::1]",
					    "0177.0.0.1", "10.0.0.1",  "169.254.169.254",    "user:secret@127.0.0.1"};
	struct fixture *f = *state;

	http_client_free(f->client);
	address_policy_free(f->policy);
	f->client = exchange_client(&f->policy, "");
	for (size_t i = 0; i < array_size(hosts); i++)
		check_refused(f, url_on(f, hosts[i], "/ok"));
}

static void test_only_http_is_spoken(void **state)
{
	struct fixture *f = *state;

	check_refused(f, "file:///etc/passwd");
	check_refused(f, "ftp://127.0.0.1/");
	check_refused(f, "gopher://127.0.0.1/");
	check_refused(f, "example.com");
	check_refused(f, "");
}

static void test_the_allow_list_and_no_policy_open_the_way(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	exchange_get(f->client, &e, url_on(f, "localhost", "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	http_client_free(f->client);
	address_policy_free(f->policy);
	f->client = exchange_client(&f->policy, NULL);
	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
}

static void test_proxies_of_the_environment_are_ignored(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
}

static void test_a_hanging_server_times_out(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	struct http_request request = exchange_request(&e, url(f, "/hang"));

	request.timeout_ms = 100;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_TIMED_OUT);
	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
}

static void test_requests_that_wait_for_a_connection_time_out_too(void **state)
{
	struct fixture *f = *state;
	struct exchange hanging;
	struct exchange waiting;

	limit(f, 1, 0);
	struct http_request request = exchange_request(&hanging, url(f, "/hang"));
	exchange_submit(f->client, &request);
	peer_wait_for_held(f->peer, 1);
	request = exchange_request(&waiting, url(f, "/ok"));
	request.timeout_ms = 100;
	exchange_submit(f->client, &request);
	exchange_wait(&waiting);
	assert_int_equal(waiting.response.outcome, HTTP_TIMED_OUT);
	assert_false(exchange_is_done(&hanging));
	http_client_free(f->client); /* before `hanging` goes out of scope */
	f->client = NULL;
}

static void check_too_large(struct fixture *f, const char *path)
{
	struct exchange e;

	exchange_get(f->client, &e, url(f, path));
	assert_int_equal(e.response.outcome, HTTP_TOO_LARGE);
	assert_int_equal(e.response.body_size, 0);
	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
}

static void test_bodies_are_bounded(void **state)
{
	check_too_large(*state, "/large");
	check_too_large(*state, "/chunked");
	check_too_large(*state, "/many-headers");
}

static void test_a_body_of_exactly_the_limit_passes(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	struct http_request request = exchange_request(&e, url(f, "/ok"));

	request.max_body = 5;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_string_equal(e.body, "hello");
	request = exchange_request(&e, url(f, "/ok"));
	request.max_body = 4;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_TOO_LARGE);
	request = exchange_request(&e, url(f, "/redirect"));
	request.max_body = 0;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
}

static void test_bodies_can_be_cut_instead(void **state)
{
	struct fixture *f = *state;
	struct exchange e;
	struct http_request request = exchange_request(&e, url(f, "/ok"));

	request.max_body = 3;
	request.truncate_body = true;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	assert_string_equal(e.body, "hel");
	exchange_get(f->client, &e, url(f, "/ok"));
	assert_int_equal(peer_connections(f->peer), 1); /* the rest was read, so the connection stayed */

	request = exchange_request(&e, url(f, "/chunked")); /* has no end */
	request.max_body = 20;
	request.truncate_body = true;
	exchange_submit(f->client, &request);
	exchange_wait(&e);
	assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	assert_int_equal(e.response.status, 200);
	assert_string_equal(e.body, "0123456789abcdef0123");
}

static void test_broken_answers_fail(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	exchange_get(f->client, &e, url(f, "/cut"));
	assert_int_equal(e.response.outcome, HTTP_FAILED);
	assert_true(e.response.text[0] != '\0');
	exchange_get(f->client, &e, url(f, "/garbage"));
	assert_int_equal(e.response.outcome, HTTP_FAILED);
}

static void test_nobody_listening_fails(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct exchange e;
	int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, but not listening: nobody else gets the port */

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	exchange_get(f->client, &e, f->url);
	assert_int_equal(e.response.outcome, HTTP_FAILED);
	close(fd);
}

static void test_many_are_in_flight_at_once(void **state)
{
	enum { COUNT = 100 };
	static struct exchange e[COUNT];
	struct fixture *f = *state;

	for (int i = 0; i < COUNT; i++) {
		struct http_request request = exchange_request(&e[i], url(f, "/barrier"));
		exchange_submit(f->client, &request);
	}
	peer_wait_for_held(f->peer, COUNT);
	assert_int_equal(http_client_in_flight(f->client), COUNT);
	peer_open_barrier(f->peer);
	for (int i = 0; i < COUNT; i++) {
		exchange_wait(&e[i]);
		assert_string_equal(e[i].body, "through");
	}
}

static void test_connections_are_limited_in_all_and_for_each_host(void **state)
{
	enum { EACH = 10 };
	static struct exchange e[2][EACH];
	struct fixture *f = *state;

	limit(f, 5, 3);
	for (int i = 0; i < EACH; i++)
		for (int host = 0; host < 2; host++) {
			const char *name = host ? "127.0.0.2" : "127.0.0.1";
			struct http_request request = exchange_request(&e[host][i], url_on(f, name, "/barrier"));
			exchange_submit(f->client, &request);
		}
	peer_wait_for_held(f->peer, 5);
	peer_open_barrier(f->peer);
	for (int i = 0; i < EACH; i++)
		for (int host = 0; host < 2; host++) {
			exchange_wait(&e[host][i]);
			assert_int_equal(e[host][i].response.outcome, HTTP_ANSWERED);
		}
	assert_true(peer_most_held(f->peer) <= 5);
}

static void test_a_slow_host_does_not_hold_up_another(void **state)
{
	enum { COUNT = 20 };
	static struct exchange slow[COUNT];
	struct fixture *f = *state;
	struct exchange quick;

	limit(f, 4, 3);
	for (int i = 0; i < COUNT; i++) {
		struct http_request request = exchange_request(&slow[i], url(f, "/hang"));
		exchange_submit(f->client, &request);
	}
	peer_wait_for_held(f->peer, 3);
	for (int i = 0; i < 5; i++) {
		exchange_get(f->client, &quick, url_on(f, "127.0.0.2", "/ok"));
		assert_int_equal(quick.response.outcome, HTTP_ANSWERED);
	}
	assert_int_equal(peer_most_held(f->peer), 3);
}

static void test_idle_connections_make_room_for_other_hosts(void **state)
{
	struct fixture *f = *state;
	struct exchange e;

	limit(f, 2, 0);
	for (int i = 1; i <= 8; i++) {
		char host[32];
		snprintf(host, sizeof(host), "127.0.0.%d", i);
		exchange_get(f->client, &e, url_on(f, host, "/ok"));
		assert_int_equal(e.response.outcome, HTTP_ANSWERED);
	}
}

static void test_free_ends_what_is_in_flight(void **state)
{
	enum { COUNT = 20 };
	static struct exchange e[COUNT];
	struct fixture *f = *state;

	limit(f, 5, 0);
	for (int i = 0; i < COUNT; i++) {
		struct http_request request = exchange_request(&e[i], url(f, "/hang"));
		exchange_submit(f->client, &request);
	}
	peer_wait_for_held(f->peer, 5);
	http_client_free(f->client);
	f->client = NULL;
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(e[i].done, 1);
		assert_int_equal(e[i].response.outcome, HTTP_FAILED);
		assert_string_equal(e[i].response.text, "shutting down");
	}
}

/* A request whose done function sends the next one. */
struct chain {
	struct http_client *client;
	const char *url;
	struct exchange last;
	int refused;
};

static void send_next(void *arg, const struct http_response *response)
{
	struct chain *chain = arg;
	struct http_request request = exchange_request(&chain->last, chain->url);

	(void)response;
	chain->refused = http_client_submit(chain->client, &request);
}

static void test_done_may_submit(void **state)
{
	struct fixture *f = *state;
	struct chain chain = {.client = f->client, .url = url(f, "/ok")};
	struct http_request request = exchange_request(&chain.last, chain.url);

	request.done = send_next;
	request.arg = &chain;
	exchange_submit(f->client, &request);
	exchange_wait(&chain.last);
	assert_string_equal(chain.last.body, "hello");
}

static void test_submitting_while_it_shuts_down_is_refused(void **state)
{
	struct fixture *f = *state;
	struct chain chain = {.client = f->client, .url = url(f, "/hang")};
	struct http_request request = exchange_request(&chain.last, chain.url);

	request.done = send_next;
	request.arg = &chain;
	exchange_submit(f->client, &request);
	peer_wait_for_held(f->peer, 1);
	http_client_free(f->client);
	f->client = NULL;
	assert_int_equal(chain.refused, -ESHUTDOWN);
	assert_int_equal(chain.last.done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(test_get),
    TEST(test_post_sends_body_and_headers),
    TEST(test_a_large_post_does_not_wait_for_permission),
    TEST(test_connections_are_reused),
    TEST(test_redirects_are_not_followed),
    TEST(test_retry_after),
    TEST(test_private_addresses_are_refused_however_spelled),
    TEST(test_only_http_is_spoken),
    TEST(test_the_allow_list_and_no_policy_open_the_way),
    TEST(test_proxies_of_the_environment_are_ignored),
    TEST(test_a_hanging_server_times_out),
    TEST(test_requests_that_wait_for_a_connection_time_out_too),
    TEST(test_bodies_are_bounded),
    TEST(test_a_body_of_exactly_the_limit_passes),
    TEST(test_bodies_can_be_cut_instead),
    TEST(test_broken_answers_fail),
    TEST(test_nobody_listening_fails),
    TEST(test_many_are_in_flight_at_once),
    TEST(test_connections_are_limited_in_all_and_for_each_host),
    TEST(test_a_slow_host_does_not_hold_up_another),
    TEST(test_idle_connections_make_room_for_other_hosts),
    TEST(test_free_ends_what_is_in_flight),
    TEST(test_done_may_submit),
    TEST(test_submitting_while_it_shuts_down_is_refused),
};

RUN_TESTS(tests)
