#include "run.h"

#include <string.h>

#include "job/job.h"
#include "job/web_url.h"

static void test_good(void **state)
{
	static const char *const good[] = {
	    "http://example.com",         "https://example.com/a?b=c#d",     "HTTPS://Example.COM/",
	    "https://example.com:8443/x", "https://example.com?x=user@host", "http://127.0.0.1:80/",
	    "http://[::1]:8080/",         "http://[::ffff:10.0.0.1]/",       "https://a_b.example/%7Ex",
	};

	(void)state;
	for (size_t i = 0; i < array_size(good); i++)
		assert_null(web_url_problem(good[i]));
}

static void test_bad(void **state)
{
	static const struct {
		const char *url;
		const char *problem;
	} bad[] = {
	    {"", "does not begin"},
	    {"example.com", "does not begin"},
	    {"ftp://example.com/", "does not begin"},
	    {"file:///etc/passwd", "does not begin"},
	    {"/etc/passwd", "does not begin"},
	    {"https:/example.com", "does not begin"},
	    {"https://", "has no host"},
	    {"https:///path", "has no host"},
	    {"https://:80/", "has no host"},
	    {"https://?x", "has no host"},
	    {"https://[]/", "has no host"},
	    {"https://[::1/", "has no host"},
	    {"https://[fe80::1%25eth0]/", "has no host"},
	    {"https://user@example.com/", "user name"},
	    {"https://user:pass@example.com/", "user name"},
	    {"https://@example.com/", "user name"},
	    {"https://example.com:/", "port"},
	    {"https://example.com:0/", "port"},
	    {"https://example.com:0443/", "port"},
	    {"https://example.com:65536/", "port"},
	    {"https://example.com:123456/", "port"},
	    {"https://example.com:8o/", "port"},
	    {"https://exam,ple.com/", "port"},
	    {"https://example.com/a b", "character"},
	    {"https://example.com/\n", "character"},
	    {"https://example.com/\x7F", "character"},
	    {"https://example.com\\@evil.example/", "character"},
	    {"https://ex\xC3\xA4mple.com/", "character"},
	};

	(void)state;
	for (size_t i = 0; i < array_size(bad); i++) {
		const char *problem = web_url_problem(bad[i].url);
		assert_non_null(problem);
		assert_non_null(strstr(problem, bad[i].problem));
	}
}

static void test_length(void **state)
{
	char url[JOB_MAX_URL_BYTES + 2];

	(void)state;
	memset(url, 'x', sizeof(url));
	memcpy(url, "https://", 8);
	url[JOB_MAX_URL_BYTES] = '\0';
	assert_null(web_url_problem(url));
	url[JOB_MAX_URL_BYTES] = 'x';
	url[JOB_MAX_URL_BYTES + 1] = '\0';
	assert_non_null(strstr(web_url_problem(url), "longer"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_good),
    cmocka_unit_test(test_bad),
    cmocka_unit_test(test_length),
};

RUN_TESTS(tests)
