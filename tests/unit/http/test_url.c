#include "http/url.h"

#include <errno.h>

#include "run.h"

static void check(const char *url, int result, const char *expected)
{
	char origin[HTTP_ORIGIN_SIZE] = "untouched";

	assert_int_equal(http_url_origin(url, origin), result);
	assert_string_equal(origin, result == 0 ? expected : "untouched");
}

static void test_origins_are_spelled_one_way(void **state)
{
	(void)state;
	check("https://example.com/a?b#c", 0, "https://example.com:443");
	check("HTTPS://Example.COM:443", 0, "https://example.com:443");
	check("http://user:secret@example.com/", 0, "http://example.com:80");
	check("http://[::1]:8080/x", 0, "http://[::1]:8080");
	check("http://0x7f.1/", 0, "http://127.0.0.1:80");
}

static void test_other_schemes_and_non_urls_are_told_apart(void **state)
{
	(void)state;
	check("ftp://example.com/", -EPROTONOSUPPORT, NULL);
	check("file:///etc/passwd", -EPROTONOSUPPORT, NULL);
	check("gopher://127.0.0.1:25/_HELO", -EPROTONOSUPPORT, NULL);
	check("example.com/a", -EINVAL, NULL);
	check("", -EINVAL, NULL);
	check("http://", -EINVAL, NULL);
	check("http://a b/", -EINVAL, NULL);
	check("http://example.com:99999/", -EINVAL, NULL);
	check("http://example.com\r\nX: y/", -EINVAL, NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_origins_are_spelled_one_way),
    cmocka_unit_test(test_other_schemes_and_non_urls_are_told_apart),
};

RUN_TESTS(tests)
