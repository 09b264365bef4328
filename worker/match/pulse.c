#include "pulse.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "announcement.h"
#include "base/clock.h"
#include "job/control.h"
#include "obs/process.h"
#include "version.h"

/* A rate over less would be noise. */
#define RATE_MS 1000

struct pulse {
	struct pulse_settings settings;
	char host[64];
	int64_t started_at_ms;

	pthread_mutex_t lock;
	int64_t interval_ms;
	int64_t due_ms;
	int64_t counted_ms; /* when `counted` was read */
	uint64_t counted;
	double rate;
};

struct pulse *pulse_new(const struct pulse_settings *settings)
{
	struct pulse *pulse = calloc(1, sizeof(*pulse));

	if (!pulse)
		return NULL;
	pulse->settings = *settings;
	pulse->interval_ms = settings->interval_ms;
	gethostname(pulse->host, sizeof(pulse->host) - 1);
	pulse->started_at_ms = clock_unix_ms();
	pulse->counted_ms = clock_monotonic_ms();
	pthread_mutex_init(&pulse->lock, NULL);
	return pulse;
}

void pulse_free(struct pulse *pulse)
{
	if (!pulse)
		return;
	pthread_mutex_destroy(&pulse->lock);
	free(pulse);
}

/* With the lock held. */
static double measure_rate(struct pulse *pulse, uint64_t tasks)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t elapsed_ms = now_ms - pulse->counted_ms;

	if (elapsed_ms >= RATE_MS) {
		pulse->rate = 1000.0 * (double)(tasks - pulse->counted) / (double)elapsed_ms;
		pulse->counted = tasks;
		pulse->counted_ms = now_ms;
	}
	return pulse->rate;
}

void pulse_send(struct pulse *pulse)
{
	const struct pulse_settings *s = &pulse->settings;
	uint64_t tasks = meters_finished_count(s->meters);
	struct control control = {.kind = CONTROL_HEARTBEAT};
	struct heartbeat *h = &control.heartbeat;

	snprintf(h->worker, sizeof(h->worker), "%s", s->worker);
	snprintf(h->host, sizeof(h->host), "%s", pulse->host);
	snprintf(h->version, sizeof(h->version), "%s", FACEFLEET_VERSION);
	snprintf(h->model, sizeof(h->model), "%s", s->model);
	h->pid = getpid();
	h->threads = (int)s->threads;
	h->in_hand = (int)roster_count(s->roster);
	h->tasks = (int64_t)tasks;
	h->rss_bytes = process_resident_bytes();
	h->started_at_ms = pulse->started_at_ms;
	h->at_ms = clock_unix_ms();
	pthread_mutex_lock(&pulse->lock);
	h->rate = measure_rate(pulse, tasks);
	pulse->due_ms = clock_monotonic_ms() + pulse->interval_ms;
	pthread_mutex_unlock(&pulse->lock);
	announcement_send(s->publisher, &control, s->meters);
}

void pulse_set_interval(struct pulse *pulse, int64_t interval_ms)
{
	pthread_mutex_lock(&pulse->lock);
	pulse->interval_ms = interval_ms;
	/* A long wait that began before ends as the new ones do. */
	if (pulse->due_ms > clock_monotonic_ms() + interval_ms)
		pulse->due_ms = clock_monotonic_ms() + interval_ms;
	pthread_mutex_unlock(&pulse->lock);
}

void pulse_tick(struct pulse *pulse)
{
	pthread_mutex_lock(&pulse->lock);
	bool due = clock_monotonic_ms() >= pulse->due_ms;
	pthread_mutex_unlock(&pulse->lock);
	if (due)
		pulse_send(pulse);
}
