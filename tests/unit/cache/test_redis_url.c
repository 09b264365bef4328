#include "run.h"

#include <stdio.h>
#include <string.h>

#include "cache/redis_url.h"

static struct redis_url parse(const char *text)
{
	struct redis_url url;
	struct error err = {0};

	if (redis_url_parse(&url, text, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return url;
}

static void test_what_it_says(void **state)
{
	(void)state;
	struct redis_url url = parse("redis://cache");
	assert_string_equal(url.host, "cache");
	assert_int_equal(url.port, 6379);
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "");
	assert_int_equal(url.database, 0);

	url = parse("REDIS://ann:pass@cache.example.org:7000/15");
	assert_string_equal(url.host, "cache.example.org");
	assert_int_equal(url.port, 7000);
	assert_string_equal(url.user, "ann");
	assert_string_equal(url.password, "pass");
	assert_int_equal(url.database, 15);

	url = parse("redis://:a%2fb%40c%3A%25:d@[fe80::1]:1/");
	assert_string_equal(url.host, "fe80::1");
	assert_int_equal(url.port, 1);
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "a/b@c:%:d");
	assert_int_equal(url.database, 0);

	url = parse("redis://:@127.0.0.1");
	assert_string_equal(url.password, "");
}

static void test_what_is_refused(void **state)
{
	static const char *const wrong[] = {
	    "",
	    "http://SECRET",
	    "redis:/SECRET",
	    "rediss://:SECRET@host",
	    "redis://",
	    "redis://:SECRET@",
	    "redis://:SECRET@:6379",
	    "redis://SECRET@host",
	    "redis://ann:@host",
	    "redis://:SEC/RET@host",
	    "redis://:SEC@RET@host",
	    "redis://:SEC?RET@host",
	    "redis://:SEC#RET@host",
	    "redis://:SECRET%@host",
	    "redis://:SECRET%2@host",
	    "redis://:SECRET%zz@host",
	    "redis://:SECRET%00@host",
	    "redis://:SECRET%0a@host",
	    "redis://host:",
	    "redis://host:0",
	    "redis://host:65536",
	    "redis://host:123456",
	    "redis://host:1x",
	    "redis://[::1",
	    "redis://[::1]x",
	    "redis://[]",
	    "redis://ho st",
	    "redis://host/x",
	    "redis://host/-1",
	    "redis://host/65536",
	    "redis://host/1/",
	    "redis://host/0?db=1",
	    "redis://a,b",
	};

	(void)state;
	for (size_t i = 0; i < array_size(wrong); i++) {
		struct redis_url url = {.host = "untouched"};
		struct error err = {0};
		if (redis_url_parse(&url, wrong[i], &err) == 0)
			fail_msg("'%s' is taken", wrong[i]);
		assert_int_equal(err.code, ERROR_CONFIG);
		assert_null(strstr(err.text, "SEC"));
		assert_null(strstr(err.text, "RET"));
		assert_string_equal(url.host, "untouched");
	}
}

static void test_what_is_too_long(void **state)
{
	char text[3000];
	struct redis_url url;
	struct error err = {0};

	(void)state;
	snprintf(text, sizeof(text), "redis://%0255d", 1);
	assert_int_equal(strlen(parse(text).host), 255);
	snprintf(text, sizeof(text), "redis://%0256d", 1);
	assert_true(redis_url_parse(&url, text, &err) < 0);
	snprintf(text, sizeof(text), "redis://:%01023d@h", 1);
	assert_int_equal(strlen(parse(text).password), 1023);
	snprintf(text, sizeof(text), "redis://:%01024d@h", 1);
	assert_true(redis_url_parse(&url, text, &err) < 0);
	snprintf(text, sizeof(text), "redis://%0256d:p@h", 1);
	assert_true(redis_url_parse(&url, text, &err) < 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_it_says),
    cmocka_unit_test(test_what_is_refused),
    cmocka_unit_test(test_what_is_too_long),
};
RUN_TESTS(tests)
