/* What the client does with names: the system's resolver is replaced by the one below. */

#include "http/client.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exchange.h"
#include "peer.h"
#include "run.h"

/* The resolver of "hang.test" blocks on reading from here until the test closes the other end. */
static int hanging_fds[2];

/* Stands in for the C library's function, also for libcurl. Knows a few names under ".test". */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	static const struct {
		const char *name;
		const char *address;
	} known[] = {{"metadata.test", "169.254.169.254"}, {"loopback.test", "127.0.0.1"}, {"ten.test", "10.0.0.1"}};

	if (strcmp(name, "hang.test") == 0) {
		char byte;
		(void)!read(hanging_fds[0], &byte, 1);
		return EAI_AGAIN;
	}
	for (size_t i = 0; i < array_size(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		struct {
			struct addrinfo info;
			struct sockaddr_in address;
		} *result = calloc(1, sizeof(*result));
		result->address.sin_family = AF_INET;
		result->address.sin_port = htons((uint16_t)atoi(service));
		inet_pton(AF_INET, known[i].address, &result->address.sin_addr);
		result->info = (struct addrinfo){.ai_family = AF_INET,
						 .ai_socktype = hints->ai_socktype,
						 .ai_addr = (struct sockaddr *)&result->address,
						 .ai_addrlen = sizeof(result->address)};
		*out = &result->info;
		return 0;
	}
	return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *info)
{
	free(info);
}

static const char *url(struct peer *peer, const char *host)
{
	static char text[128];

	snprintf(text, sizeof(text), "http://%s:%u/ok", host, peer_port(peer));
	return text;
}

static void check(struct http_client *client, const char *to, enum http_outcome expected)
{
	struct exchange e;

	exchange_get(client, &e, to);
	if (e.response.outcome != expected)
		fail_msg("%s: outcome %d, %s", to, (int)e.response.outcome, e.response.text);
}

static void test_names_are_judged_by_what_they_resolve_to(void **state)
{
	struct peer *peer = peer_start();
	struct address_policy *policy;
	struct http_client *client = exchange_client(&policy, "");

	(void)state;
	check(client, url(peer, "metadata.test"), HTTP_REFUSED);
	check(client, url(peer, "ten.test"), HTTP_REFUSED);
	check(client, url(peer, "loopback.test"), HTTP_REFUSED);
	check(client, url(peer, "unknown.test"), HTTP_FAILED);
	assert_int_equal(peer_connections(peer), 0);
	http_client_free(client);
	address_policy_free(policy);

	client = exchange_client(&policy, "127.0.0.1");
	check(client, url(peer, "loopback.test"), HTTP_ANSWERED);
	check(client, url(peer, "ten.test"), HTTP_REFUSED);
	http_client_free(client);
	address_policy_free(policy);
	peer_stop(peer);
}

static void test_a_hanging_resolver_holds_up_nobody(void **state)
{
	struct peer *peer = peer_start();
	struct address_policy *policy;
	struct http_client *client = exchange_client(&policy, "127.0.0.1");
	struct exchange timed;
	struct exchange stuck;

	(void)state;
	assert_int_equal(pipe(hanging_fds), 0);
	struct http_request request = exchange_request(&timed, "http://hang.test/");
	request.timeout_ms = 100;
	exchange_submit(client, &request);
	request = exchange_request(&stuck, "http://hang.test/");
	exchange_submit(client, &request);
	exchange_wait(&timed);
	assert_int_equal(timed.response.outcome, HTTP_TIMED_OUT);
	check(client, url(peer, "loopback.test"), HTTP_ANSWERED);
	http_client_free(client);
	assert_int_equal(stuck.done, 1);
	assert_int_equal(stuck.response.outcome, HTTP_FAILED);
	close(hanging_fds[1]); /* lets the resolver's threads go */
	address_policy_free(policy);
	peer_stop(peer);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_names_are_judged_by_what_they_resolve_to),
    cmocka_unit_test(test_a_hanging_resolver_holds_up_nobody),
};

RUN_TESTS(tests)
