#include "run.h"

#include <string.h>

#include "callback/endpoint.h"

#define SLOW "https://slow:443"
#define FAST "https://fast:443"

static void key_is(const char *url, const char *expected)
{
	char key[ENDPOINT_KEY_SIZE];
	struct error err = {0};

	if (endpoint_key(url, key, &err) != 0)
		fail_msg("%s: %s", url, err.text);
	assert_string_equal(key, expected);
}

static void keys_are_scheme_host_and_port(void **state)
{
	(void)state;
	key_is("https://Example.COM/a?b=c#d", "https://example.com:443");
	key_is("HTTP://example.com", "http://example.com:80");
	key_is("http://user:secret@example.com:8080/x", "http://example.com:8080");
	key_is("http://[2001:DB8::1]:81/", "http://[2001:db8::1]:81");
	key_is("http://127.1/", "http://127.0.0.1:80");
}

static void refuses_other_urls(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "",
	    "example.com/x",
	    "/x",
	    "ftp://example.com/",
	    "file:///etc/passwd",
	    "gopher://x/",
	    "httpss://x",
	    "http://",
	    "http://a b/",
	    "http://x:99999/",
	    "javascript:alert(1)",
	    "https:",
	    "http://x/\r\nwebhook-id: forged",
	};

	for (size_t i = 0; i < array_size(bad); i++) {
		char key[ENDPOINT_KEY_SIZE];
		struct error err = {0};

		if (endpoint_key(bad[i], key, &err) == 0)
			fail_msg("\"%s\" was taken as %s", bad[i], key);
		assert_int_equal(err.class, ERROR_CLASS_REJECT);
	}
}

static void enter(struct endpoints *endpoints, struct endpoint_place *place, const char *key, int64_t now_ms)
{
	*place = (struct endpoint_place){0};
	assert_int_equal(endpoints_enter(endpoints, place, key, now_ms), 0);
}

static void runs_up_to_the_limit_then_in_order(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(2);
	struct endpoint_place p[5];

	for (int i = 0; i < 4; i++)
		enter(endpoints, &p[i], SLOW, 0);
	enter(endpoints, &p[4], FAST, 0);
	assert_true(p[0].running && p[1].running && p[4].running);
	assert_false(p[2].running || p[3].running);
	assert_int_equal(endpoints_running(endpoints), 3);
	assert_int_equal(endpoints_waiting(endpoints), 2);

	assert_ptr_equal(endpoints_leave(endpoints, &p[1]), &p[2]);
	assert_true(p[2].running);
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[3]);
	assert_null(endpoints_leave(endpoints, &p[2]));
	assert_null(endpoints_leave(endpoints, &p[3]));
	assert_null(endpoints_leave(endpoints, &p[4]));
	assert_int_equal(endpoints_running(endpoints), 0);
	assert_int_equal(endpoints_waiting(endpoints), 0);
	endpoints_free(endpoints);
}

static void a_place_may_leave_the_line(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(1);
	struct endpoint_place p[3];

	for (int i = 0; i < 3; i++)
		enter(endpoints, &p[i], SLOW, 0);
	assert_null(endpoints_leave(endpoints, &p[1]));
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[2]);
	assert_null(endpoints_leave(endpoints, &p[2]));
	endpoints_free(endpoints);
}

static void sheds_only_what_a_slow_endpoint_may_not_keep(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(2);
	struct endpoint_place p[7];
	struct endpoint_place other;

	for (int i = 0; i < 7; i++)
		enter(endpoints, &p[i], SLOW, 100);
	enter(endpoints, &other, FAST, 100);
	assert_null(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS - 1));
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[6]);
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[5]);
	assert_ptr_equal(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS), &p[4]);
	assert_null(endpoints_shed(endpoints, 100 + ENDPOINT_PATIENCE_MS));
	assert_null(p[6].endpoint);
	assert_int_equal(endpoints_waiting(endpoints), 2);
	assert_int_equal(endpoints_running(endpoints), 3);
	endpoints_free(endpoints);
}

static void a_line_that_moves_is_kept(void **state)
{
	(void)state;
	struct endpoints *endpoints = endpoints_new(1);
	struct endpoint_place p[4];

	enter(endpoints, &p[0], FAST, 0);
	enter(endpoints, &p[1], FAST, 0);
	enter(endpoints, &p[2], FAST, 900);
	enter(endpoints, &p[3], FAST, 900);
	assert_ptr_equal(endpoints_leave(endpoints, &p[0]), &p[1]);
	assert_null(endpoints_shed(endpoints, ENDPOINT_PATIENCE_MS));
	assert_ptr_equal(endpoints_shed(endpoints, 900 + ENDPOINT_PATIENCE_MS), &p[3]);
	endpoints_free(endpoints);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keys_are_scheme_host_and_port),
    cmocka_unit_test(refuses_other_urls),
    cmocka_unit_test(runs_up_to_the_limit_then_in_order),
    cmocka_unit_test(a_place_may_leave_the_line),
    cmocka_unit_test(sheds_only_what_a_slow_endpoint_may_not_keep),
    cmocka_unit_test(a_line_that_moves_is_kept),
};

RUN_TESTS(tests)
