#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/stop.h"
#include "base/thread.h"

/* The count of signals belongs to the process, so these cases build upon each other in order. */

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void test_nothing_happened(void **state)
{
	(void)state;
	assert_int_equal(stop_install(), 0);
	assert_int_equal(stop_requested(), 0);
	assert_false(is_readable(stop_fd()));
	assert_int_equal(stop_wait(0, 0), 0);
	assert_int_equal(stop_wait(0, 1), 0);
}

static void *wait_for_more(void *seen)
{
	return (void *)(intptr_t)stop_wait((int)(intptr_t)seen, -1);
}

static void test_a_first_signal_stops(void **state)
{
	pthread_t id;
	void *result;

	(void)state;
	assert_int_equal(thread_start(&id, wait_for_more, (void *)0), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(pthread_join(id, &result), 0);
	assert_int_equal((intptr_t)result, 1);
	assert_int_equal(stop_requested(), 1);
	assert_true(is_readable(stop_fd()));
	assert_int_equal(stop_wait(0, -1), 1);
	assert_int_equal(stop_wait(1, 1), 1);
	assert_int_equal(stop_wait(0, INT64_MAX), 1);
}

static void test_a_second_signal_hurries(void **state)
{
	pthread_t id;
	void *result;

	(void)state;
	assert_int_equal(thread_start(&id, wait_for_more, (void *)1), 0);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_equal(pthread_join(id, &result), 0);
	assert_int_equal((intptr_t)result, 2);
	assert_int_equal(stop_requested(), 2);
	assert_true(is_readable(stop_fd()));
}

static void test_a_broken_pipe_is_an_error(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(write(fds[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(fds[1]);
}

static void test_what_was_kept_counts_for_the_next_program(void **state)
{
	(void)state;
	stop_hand_over();
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(stop_requested(), 2);
	assert_int_equal(stop_install(), 0); /* as the next program does */
	assert_int_equal(stop_requested(), 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nothing_happened),
    cmocka_unit_test(test_a_first_signal_stops),
    cmocka_unit_test(test_a_second_signal_hurries),
    cmocka_unit_test(test_a_broken_pipe_is_an_error),
    cmocka_unit_test(test_what_was_kept_counts_for_the_next_program),
};

RUN_TESTS(tests)
