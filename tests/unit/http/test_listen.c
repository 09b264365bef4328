#include "http/listen.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

static void test_free_ports_are_found(void **state)
{
	static const char *const places[] = {"127.0.0.1:0", "localhost:0", ":0", "0.0.0.0:0"};

	(void)state;
	for (size_t i = 0; i < array_size(places); i++) {
		struct error err = {0};
		uint16_t port = 0;
		int fd = listen_open(places[i], &port, &err);
		if (fd < 0)
			fail_msg("%s", err.text);
		assert_int_not_equal(port, 0);
		close(fd);
	}
}

static void test_a_taken_port_is_named(void **state)
{
	struct error err = {0};
	char where[32];
	uint16_t port = 0;
	int fd = listen_open("127.0.0.1:0", &port, &err);

	(void)state;
	assert_true(fd >= 0);
	snprintf(where, sizeof(where), "127.0.0.1:%u", port);
	uint16_t untouched = 7;
	assert_true(listen_open(where, &untouched, &err) < 0);
	assert_int_equal(untouched, 7);
	assert_int_equal(err.code, ERROR_CONFIG);
	assert_non_null(strstr(err.text, where));
	assert_non_null(strstr(err.text, "Address already in use"));
	close(fd);
}

static void test_what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",      "127.0.0.1",    "127.0.0.1:",    "127.0.0.1:x",      "127.0.0.1:65536", "::1:80",
	    "[::1]", "127.0.0.1:-1", "127.0.0.1:80 ", "127.0.0.1:123456", "[::1:9000",       "localhost:+1"};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		struct error err = {0};
		uint16_t port = 0;
		if (listen_open(bad[i], &port, &err) >= 0)
			fail_msg("\"%s\" was accepted", bad[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_free_ports_are_found),
    cmocka_unit_test(test_a_taken_port_is_named),
    cmocka_unit_test(test_what_is_no_address_is_refused),
};

RUN_TESTS(tests)
