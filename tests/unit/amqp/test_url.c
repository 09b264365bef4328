#include "amqp/url.h"

#include <stdio.h>
#include <string.h>

#include "run.h"

static struct amqp_url parsed(const char *text)
{
	struct amqp_url url;
	struct error err;

	if (amqp_url_parse(&url, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return url;
}

static void check_endpoint(const struct amqp_endpoint *e, bool tls, const char *host, unsigned port, const char *user,
			   const char *password, const char *vhost)
{
	assert_int_equal(e->tls, tls);
	assert_string_equal(e->host, host);
	assert_int_equal(e->port, port);
	assert_string_equal(e->user, user);
	assert_string_equal(e->password, password);
	assert_string_equal(e->vhost, vhost);
}

static void test_single_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool tls;
		const char *host;
		unsigned port;
		const char *user;
		const char *password;
		const char *vhost;
	} cases[] = {
	    {"amqp://h", false, "h", 5672, "guest", "guest", "/"},
	    {"amqps://h", true, "h", 5671, "guest", "guest", "/"},
	    {"AMQP://h/", false, "h", 5672, "guest", "guest", "/"},
	    {"amqp://u:p@h:1/v", false, "h", 1, "u", "p", "v"},
	    {"amqp://u@h", false, "h", 5672, "u", "", "/"},
	    {"amqp://u:@h", false, "h", 5672, "u", "", "/"},
	    {"amqp://a%3Ab:c%2Fd%40e%2Cf%25@h/%2f", false, "h", 5672, "a:b", "c/d@e,f%", "/"},
	    {"amqp://u:p:q@h", false, "h", 5672, "u", "p:q", "/"},
	    {"amqps://[::1]", true, "::1", 5671, "guest", "guest", "/"},
	    {"amqp://[fe80::1]:65535/a%2Fb", false, "fe80::1", 65535, "guest", "guest", "a/b"},
	    {"amqp://rabbit-1.example_net.com", false, "rabbit-1.example_net.com", 5672, "guest", "guest", "/"},
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct amqp_url url = parsed(cases[i].text);
		assert_int_equal(url.count, 1);
		check_endpoint(&url.hosts[0], cases[i].tls, cases[i].host, cases[i].port, cases[i].user,
			       cases[i].password, cases[i].vhost);
	}
}

static void test_several_hosts(void **state)
{
	(void)state;
	struct amqp_url url = parsed("amqp://u:p@a,b:7,[::1]:8/v,amqps://c,amqp://x:y@d,e");

	assert_int_equal(url.count, 6);
	check_endpoint(&url.hosts[0], false, "a", 5672, "u", "p", "v");
	check_endpoint(&url.hosts[1], false, "b", 7, "u", "p", "v");
	check_endpoint(&url.hosts[2], false, "::1", 8, "u", "p", "v");
	check_endpoint(&url.hosts[3], true, "c", 5671, "guest", "guest", "/");
	check_endpoint(&url.hosts[4], false, "d", 5672, "x", "y", "/");
	check_endpoint(&url.hosts[5], false, "e", 5672, "x", "y", "/");
}

/* Whatever is wrong, no part of a password may reach a log: here every one of them contains "hush". */
static void test_refusals_show_no_password(void **state)
{
	(void)state;
	static const char *const cases[] = {
	    "",
	    "hush",
	    "http://u:hush@h",
	    "amqp:/u:hush@h",
	    "amqp://",
	    "amqp:///v",
	    "amqp://u:hush@",
	    "amqp://u:hush@/v",
	    "amqp://u:hush/hush@h",
	    "amqp://u:hush@hush@h",
	    "amqp://u:hush?@h/v?hush",
	    "amqp://u:hush#hush@h/hush/hush",
	    "amqp://u:hush@h:0",
	    "amqp://u:hush@h:65536",
	    "amqp://u:hush@h:99999999999999999999",
	    "amqp://u:hush@h:",
	    "amqp://u:hush@h:1x",
	    "amqp://u:hush@h:-1",
	    "amqp://u:hush@h,,i",
	    "amqp://u:hush@h,",
	    "amqp://u:hush@[::1",
	    "amqp://u:hush@[]",
	    "amqp://u:hush@[::1]x",
	    "amqp://u:hush@[g::1]/%zz",
	    "amqp://u:hush%@h",
	    "amqp://u:hush%2@h",
	    "amqp://u:hush%00@h",
	    "amqp://u:hush%0a@h",
	    "amqp://u:hush\nhush@h",
	    "amqp://u:hush@h o",
	    "amqp://u:hush@h/v,h/v,amqp://",
	};

	for (size_t i = 0; i < array_size(cases); i++) {
		struct amqp_url url = {.count = 77};
		struct error err;
		if (amqp_url_parse(&url, cases[i], &err) == 0)
			fail_msg("'%s' was taken", cases[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_null(strstr(err.text, "hush"));
		assert_int_equal(url.count, 77);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	char text[2048];
	struct amqp_url url;

	snprintf(text, sizeof(text), "amqp://%0255d", 0);
	assert_int_equal(amqp_url_parse(&url, text, NULL), 0);
	snprintf(text, sizeof(text), "amqp://%0256d", 0);
	assert_true(amqp_url_parse(&url, text, NULL) < 0);
	snprintf(text, sizeof(text), "amqp://u:%0255d@h", 0);
	assert_int_equal(amqp_url_parse(&url, text, NULL), 0);
	snprintf(text, sizeof(text), "amqp://u:%0256d@h", 0);
	assert_true(amqp_url_parse(&url, text, NULL) < 0);
	snprintf(text, sizeof(text), "amqp://h/%0256d", 0);
	assert_true(amqp_url_parse(&url, text, NULL) < 0);
	assert_int_equal(amqp_url_parse(&url, "amqp://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", NULL), 0);
	assert_int_equal(url.count, AMQP_MAX_HOSTS);
	assert_true(amqp_url_parse(&url, "amqp://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", NULL) < 0);
}

static void test_format_hides_credentials(void **state)
{
	(void)state;
	char text[64];
	struct amqp_url url = parsed("amqps://u:p@[::1]:7/v,amqp://u:p@h");

	amqp_endpoint_format(&url.hosts[0], text, sizeof(text));
	assert_string_equal(text, "amqps://[::1]:7/v");
	amqp_endpoint_format(&url.hosts[1], text, sizeof(text));
	assert_string_equal(text, "amqp://h:5672/");
	amqp_endpoint_format(&url.hosts[1], text, 8);
	assert_string_equal(text, "amqp://");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_single_hosts),
    cmocka_unit_test(test_several_hosts),
    cmocka_unit_test(test_refusals_show_no_password),
    cmocka_unit_test(test_bounds),
    cmocka_unit_test(test_format_hides_credentials),
};

RUN_TESTS(tests)
