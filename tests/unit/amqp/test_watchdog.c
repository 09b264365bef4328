#include "amqp/watchdog.h"

#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

static struct watchdog dog;
static int pair[2];

static void start(int64_t limit_ms)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(watchdog_start(&dog, limit_ms), 0);
	watchdog_guard(&dog, pair[0]);
}

static void stop(void)
{
	watchdog_stop(&dog);
	close(pair[0]);
	close(pair[1]);
}

/* A read that nobody answers: the end of the stream means that the socket was shut down. */
static void check_read_ends(void)
{
	char byte;

	alarm(60);
	assert_int_equal(read(pair[0], &byte, 1), 0);
	alarm(0);
}

static void test_hanging_call_is_ended(void **state)
{
	(void)state;
	start(10);
	watchdog_enter(&dog);
	check_read_ends();
	watchdog_leave(&dog);
	stop();
}

static void test_cut_needs_no_limit(void **state)
{
	(void)state;
	start(1000000);
	watchdog_cut(&dog);
	check_read_ends();
	stop();
}

static void test_socket_that_is_given_up_is_left_alone(void **state)
{
	(void)state;
	char byte = 'x';

	start(1000000);
	watchdog_guard(&dog, -1);
	watchdog_cut(&dog);
	assert_int_equal(write(pair[1], &byte, 1), 1);
	assert_int_equal(read(pair[0], &byte, 1), 1);
	stop();
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_hanging_call_is_ended),
    cmocka_unit_test(test_cut_needs_no_limit),
    cmocka_unit_test(test_socket_that_is_given_up_is_left_alone),
};

RUN_TESTS(tests)
