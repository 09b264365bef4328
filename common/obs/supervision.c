#include "obs/supervision.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "base/thread.h"
#include "base/wakeup.h"
#include "obs/log.h"
#include "obs/notify.h"

/* How soon a program that is not ready yet is looked at again, and what was not heard is said again. */
#define AGAIN_MS 100
#define LONGEST_MS 60000

struct supervision {
	struct supervision_settings settings;
	pthread_t thread;
	int end_fd; /* readable: the thread is to end */
	bool is_ready;
	bool is_stopping;
	bool is_renewing; /* the caller's */
	atomic_bool is_unheard;
	int64_t watchdog_ms; /* between two signs of life; 0: nobody waits for them */
	int64_t sign_at_ms;  /* monotonic */
};

/* False if nobody heard it. Of failures in a row the first is logged. */
static bool say(struct supervision *s, const char *state)
{
	int r = notify_send(state);

	if (r < 0 && !atomic_load(&s->is_unheard))
		log_warning(NULL, "the service manager cannot be told", log_string("state", state),
			    log_string("error", strerror(-r)));
	atomic_store(&s->is_unheard, r < 0);
	return r == 0;
}

static void show_life(struct supervision *s)
{
	char why[256] = "";

	if (s->watchdog_ms == 0 || clock_monotonic_ms() < s->sign_at_ms)
		return;
	s->sign_at_ms = clock_monotonic_ms() + s->watchdog_ms;
	if (!s->settings.healthy(s->settings.arg, why, sizeof(why)))
		log_warning(NULL, "not healthy: the service manager's watchdog is not fed", log_string("why", why));
	else if (!say(s, "WATCHDOG=1") && s->watchdog_ms > AGAIN_MS)
		s->sign_at_ms = clock_monotonic_ms() + AGAIN_MS;
}

static void look(struct supervision *s)
{
	char why[256];

	if (!s->is_stopping && stop_requested() > 0) {
		s->is_stopping = true;
		say(s, "STOPPING=1");
	}
	if (!s->is_ready && !s->is_stopping && s->settings.ready(s->settings.arg, why, sizeof(why)))
		s->is_ready = say(s, "READY=1");
	show_life(s);
}

static int pause_ms(const struct supervision *s)
{
	int64_t pause = s->is_ready || s->is_stopping ? LONGEST_MS : AGAIN_MS;
	int64_t left = s->sign_at_ms - clock_monotonic_ms();

	if (s->watchdog_ms > 0 && left < pause)
		pause = left > 0 ? left : 0;
	return (int)pause;
}

static void *run(void *arg)
{
	struct supervision *s = arg;
	struct pollfd fds[] = {{.fd = s->end_fd, .events = POLLIN}, {.fd = stop_fd(), .events = POLLIN}};

	thread_set_name("supervision");
	do {
		look(s);
		/* It stays readable for ever after the first signal. */
		if (s->is_stopping)
			fds[1].fd = -1;
		poll(fds, array_size(fds), pause_ms(s));
	} while (!(fds[0].revents & POLLIN));
	return NULL;
}

int supervision_start(struct supervision **out, const struct supervision_settings *settings, struct error *err)
{
	const char *manager = getenv("NOTIFY_SOCKET");

	*out = NULL;
	if (!manager || !manager[0])
		return 0;
	struct supervision *s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, ERROR_INTERNAL, "no memory for the service manager's messages");
	s->settings = *settings;
	s->watchdog_ms = (int64_t)(notify_watchdog_usec() / 2000);
	s->end_fd = wakeup_open();
	int r = s->end_fd < 0 ? s->end_fd : thread_start(&s->thread, run, s);
	if (r < 0) {
		if (s->end_fd >= 0)
			close(s->end_fd);
		free(s);
		return error_set(err, ERROR_INTERNAL, "the service manager cannot be told: %s", strerror(-r));
	}
	*out = s;
	return 0;
}

void supervision_renew(struct supervision *s)
{
	char state[64];

	if (!s)
		return;
	s->is_renewing = true;
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_ms() * 1000);
	say(s, state);
}

void supervision_stop(struct supervision *s)
{
	if (!s)
		return;
	wakeup_signal(s->end_fd);
	pthread_join(s->thread, NULL);
	if (!s->is_stopping && !s->is_renewing)
		say(s, "STOPPING=1");
	close(s->end_fd);
	free(s);
}
