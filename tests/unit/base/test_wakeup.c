#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/wakeup.h"

static bool is_readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void test_signal_and_clear(void **state)
{
	int fd = wakeup_open();

	(void)state;
	assert_true(fd >= 0);
	assert_false(is_readable(fd));
	wakeup_clear(fd); /* never blocks */
	wakeup_signal(fd);
	wakeup_signal(fd);
	assert_true(is_readable(fd));
	wakeup_clear(fd);
	assert_false(is_readable(fd));
	close(fd);
}

static void test_a_full_counter_stays_readable(void **state)
{
	int fd = wakeup_open();
	uint64_t almost_full = UINT64_MAX - 1;

	(void)state;
	assert_int_equal(write(fd, &almost_full, sizeof(almost_full)), sizeof(almost_full));
	errno = 77;
	wakeup_signal(fd);
	assert_int_equal(errno, 77);
	assert_true(is_readable(fd));
	wakeup_clear(fd);
	assert_false(is_readable(fd));
	close(fd);
}

static void test_is_not_inherited(void **state)
{
	int fd = wakeup_open();

	(void)state;
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_signal_and_clear),
    cmocka_unit_test(test_a_full_counter_stays_readable),
    cmocka_unit_test(test_is_not_inherited),
};

RUN_TESTS(tests)
