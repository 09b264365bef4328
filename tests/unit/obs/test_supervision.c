#include "run.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "manager.h"
#include "obs/log.h"
#include "obs/supervision.h"

static atomic_bool is_alive;
static atomic_bool is_ready;
static atomic_int checks; /* of its health */

static bool healthy(void *arg, char *why, size_t why_size)
{
	(void)arg;
	atomic_fetch_add(&checks, 1);
	snprintf(why, why_size, "hung");
	return atomic_load(&is_alive);
}

static bool ready(void *arg, char *why, size_t why_size)
{
	(void)arg;
	snprintf(why, why_size, "not connected");
	return atomic_load(&is_ready);
}

static struct supervision *start(void)
{
	const struct supervision_settings settings = {.healthy = healthy, .ready = ready};
	struct supervision *supervision;
	struct error err = {0};

	assert_int_equal(supervision_start(&supervision, &settings, &err), 0);
	return supervision;
}

static int set_up(void **state)
{
	static struct manager manager;

	manager_open(&manager, false);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	atomic_store(&is_alive, true);
	atomic_store(&is_ready, false);
	atomic_store(&checks, 0);
	log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	*state = &manager;
	return 0;
}

static int tear_down(void **state)
{
	manager_close(*state);
	return 0;
}

static void wait_for_checks(int count)
{
	int64_t until = clock_monotonic_ms() + 20000;

	while (atomic_load(&checks) < count && clock_monotonic_ms() < until)
		poll(NULL, 0, 1);
	assert_true(atomic_load(&checks) >= count);
}

static void ready_is_said_once_it_is_true(void **state)
{
	struct manager *manager = *state;
	struct supervision *supervision;

	setenv("WATCHDOG_USEC", "20000", 1);
	supervision = start();
	/* Alive, so the watchdog is fed meanwhile, and nothing else is said. */
	for (int i = 0; i < 5; i++)
		assert_string_equal(manager_hear(manager), "WATCHDOG=1");
	atomic_store(&is_ready, true);
	const char *said;
	while (strcmp(said = manager_hear(manager), "WATCHDOG=1") == 0)
		;
	assert_string_equal(said, "READY=1");
	for (int i = 0; i < 5; i++)
		assert_string_equal(manager_hear(manager), "WATCHDOG=1");
	supervision_stop(supervision);
}

static void the_watchdog_is_fed_only_while_alive(void **state)
{
	struct manager *manager = *state;
	struct supervision *supervision;

	setenv("WATCHDOG_USEC", "2000", 1);
	atomic_store(&is_alive, false);
	supervision = start();
	wait_for_checks(20);
	assert_true(manager_is_quiet(manager));
	atomic_store(&is_alive, true);
	assert_string_equal(manager_hear(manager), "WATCHDOG=1");
	supervision_stop(supervision);
}

/* Its queue may be full for a moment, when many begin at once. Whoever is not known to be ready is ended. */
static void what_the_manager_missed_is_said_again(void **state)
{
	struct manager *manager = *state;
	char path[96], away[96];
	bool heard = false;

	snprintf(path, sizeof(path), "%s/notify", manager->folder);
	snprintf(away, sizeof(away), "%s/away", manager->folder);
	assert_int_equal(rename(path, away), 0);
	setenv("WATCHDOG_USEC", "20000", 1);
	atomic_store(&is_ready, true);
	struct supervision *supervision = start();
	wait_for_checks(2);
	assert_int_equal(rename(away, path), 0);
	for (int i = 0; i < 500 && !heard; i++)
		heard = strcmp(manager_hear(manager), "READY=1") == 0;
	assert_true(heard);
	supervision_stop(supervision);
}

static void without_a_watchdog_nothing_is_fed(void **state)
{
	struct manager *manager = *state;

	atomic_store(&is_ready, true);
	struct supervision *supervision = start();
	assert_string_equal(manager_hear(manager), "READY=1");
	supervision_stop(supervision);
	assert_string_equal(manager_hear(manager), "STOPPING=1");
	assert_true(manager_is_quiet(manager));
	assert_int_equal(atomic_load(&checks), 0);
}

static void without_a_manager_there_is_no_supervision(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_null(start());
	supervision_stop(NULL);
}

static void who_is_executed_anew_does_not_stop(void **state)
{
	struct manager *manager = *state;

	atomic_store(&is_ready, true);
	struct supervision *supervision = start();
	assert_string_equal(manager_hear(manager), "READY=1");
	supervision_renew(supervision);
	assert_memory_equal(manager_hear(manager), "RELOADING=1\nMONOTONIC_USEC=", 27);
	supervision_stop(supervision);
	assert_true(manager_is_quiet(manager));
	supervision_renew(NULL);
}

/* The last case: the wish to stop is the process's, and stays. A program that stops is watched until it has. */
static void a_stop_is_told_and_watched(void **state)
{
	struct manager *manager = *state;

	setenv("WATCHDOG_USEC", "20000", 1);
	atomic_store(&is_ready, true);
	struct supervision *supervision = start();
	while (strcmp(manager_hear(manager), "READY=1") != 0)
		;
	raise(SIGTERM);
	while (strcmp(manager_hear(manager), "STOPPING=1") != 0)
		;
	for (int i = 0; i < 5; i++)
		assert_string_equal(manager_hear(manager), "WATCHDOG=1");
	supervision_stop(supervision);
	while (!manager_is_quiet(manager))
		assert_string_equal(manager_hear(manager), "WATCHDOG=1");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(ready_is_said_once_it_is_true),
    CASE(the_watchdog_is_fed_only_while_alive),
    CASE(what_the_manager_missed_is_said_again),
    CASE(without_a_watchdog_nothing_is_fed),
    CASE(without_a_manager_there_is_no_supervision),
    CASE(who_is_executed_anew_does_not_stop),
    CASE(a_stop_is_told_and_watched),
};

int main(void)
{
	if (stop_install() < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
