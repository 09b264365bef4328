#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/wakeup.h"

static atomic_int requested;
static int event_fd = -1;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&requested, 1);
	wakeup_signal(event_fd);
}

static void change_mask(int how)
{
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	pthread_sigmask(how, &both, NULL);
}

int stop_install(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	event_fd = wakeup_open();
	if (event_fd < 0)
		return event_fd;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0)
		return -errno;
	action.sa_handler = SIG_IGN;
	if (sigaction(SIGPIPE, &action, NULL) < 0)
		return -errno;
	change_mask(SIG_UNBLOCK);
	return 0;
}

void stop_hand_over(void)
{
	change_mask(SIG_BLOCK);
}

int stop_requested(void)
{
	return atomic_load(&requested);
}

int stop_fd(void)
{
	return event_fd;
}

int stop_wait(int seen, int64_t timeout_ms)
{
	int64_t start = clock_monotonic_ms();

	while (stop_requested() <= seen) {
		int64_t left = timeout_ms < 0 ? 1000 : timeout_ms - (clock_monotonic_ms() - start);
		if (left <= 0)
			break;
		/* The descriptor stays readable after the first signal, so it only helps the first wait;
		 * later waits look every 50 ms (poll is also ended by the signal itself). */
		struct pollfd p = {.fd = seen == 0 ? event_fd : -1, .events = POLLIN};
		int slice = seen == 0 ? 1000 : 50;
		poll(&p, 1, left < slice ? (int)left : slice);
	}
	return stop_requested();
}
