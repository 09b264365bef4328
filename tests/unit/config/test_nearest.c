#include "config/nearest.h"

#include <string.h>

#include "run.h"

static void test_distances(void **state)
{
	char long_a[200];
	char long_b[200];

	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("abc", "abc"), 0);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("abc", ""), 3);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("threads", "thread"), 1);
	memset(long_a, 'a', sizeof(long_a));
	memset(long_b, 'b', sizeof(long_b));
	long_a[199] = long_b[199] = '\0';
	assert_int_equal(nearest_distance(long_a, long_b), NEAREST_MAX);
}

static void test_the_meant_key_is_found(void **state)
{
	(void)state;
	assert_string_equal(nearest_key("worker.thread"), "worker.threads");
	assert_string_equal(nearest_key("threads"), "worker.threads");
	assert_string_equal(nearest_key("amqp.uri"), "amqp.url");
	assert_string_equal(nearest_key("log.levle"), "log.level");
	assert_string_equal(nearest_key("callback-secret"), "callback.secret");
	assert_memory_equal(nearest_key("workers"), "worker.", 7);
	assert_memory_equal(nearest_key("amqps"), "amqp.", 5);
	assert_string_equal(nearest_key("scene.kiosk.lane"), "scenes");
	assert_non_null(nearest_key(""));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_distances),
    cmocka_unit_test(test_the_meant_key_is_found),
};

RUN_TESTS(tests)
