#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "manager.h"
#include "obs/notify.h"

static void a_socket_with_a_path_is_reached(void **state)
{
	struct manager manager;

	(void)state;
	manager_open(&manager, false);
	assert_int_equal(notify_send("READY=1"), 0);
	assert_string_equal(manager_hear(&manager), "READY=1");
	manager_close(&manager);
}

static void a_socket_without_a_path_is_reached(void **state)
{
	struct manager manager;

	(void)state;
	manager_open(&manager, true);
	assert_int_equal(notify_send("STOPPING=1\nSTATUS=so long"), 0);
	assert_string_equal(manager_hear(&manager), "STOPPING=1\nSTATUS=so long");
	manager_close(&manager);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_send("READY=1"), 0);
}

static void other_addresses_are_refused(void **state)
{
	char longer[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "@", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_int_equal(notify_send("READY=1"), -ENAMETOOLONG);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	assert_int_equal(notify_send("READY=1"), -ENOENT);
}

static uint64_t watchdog(const char *usec, const char *pid)
{
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	return notify_watchdog_usec();
}

static void the_watchdog_is_for_one_process(void **state)
{
	char own[24], other[24];

	(void)state;
	snprintf(own, sizeof(own), "%d", (int)getpid());
	snprintf(other, sizeof(other), "%d", (int)getpid() + 1);
	assert_int_equal(watchdog(NULL, NULL), 0);
	assert_int_equal(watchdog("30000000", NULL), 30000000);
	assert_int_equal(watchdog("30000000", own), 30000000);
	assert_int_equal(watchdog("30000000", other), 0);
	assert_int_equal(watchdog("30000000", "me"), 0);
	assert_int_equal(watchdog("soon", NULL), 0);
	assert_int_equal(watchdog("-1", NULL), 0);
	assert_int_equal(watchdog("99999999999999999999999", NULL), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_socket_with_a_path_is_reached),   cmocka_unit_test(a_socket_without_a_path_is_reached),
    cmocka_unit_test(without_a_manager_nothing_happens), cmocka_unit_test(other_addresses_are_refused),
    cmocka_unit_test(the_watchdog_is_for_one_process),
};

RUN_TESTS(tests)
