/* What the worker says of itself on /healthz and /readyz. */
#include <stdio.h>

#include "amqp/link_health.h"
#include "base/clock.h"
#include "worker_private.h"

/* How long a loop may not turn before the worker counts as dead. */
#define LOOP_SILENT_MAX_MS 30000

bool worker_is_healthy(void *arg, char *why, size_t why_size)
{
	struct worker *worker = arg;

	return amqp_link_is_alive(worker->jobs, "jobs", LOOP_SILENT_MAX_MS, why, why_size) &&
	       amqp_link_is_alive(worker->replies, "replies", LOOP_SILENT_MAX_MS, why, why_size) &&
	       dead_is_alive(worker->dead, LOOP_SILENT_MAX_MS, why, why_size) &&
	       vigil_holds(worker->vigil, clock_monotonic_ms(), why, why_size);
}

static bool link_is_ready(struct worker *worker, struct amqp_link *link, const char *name, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (!status.connected)
		snprintf(why, why_size, "%s: not connected to the broker%s%s", name,
			 status.last_error.text[0] ? ": " : "", status.last_error.text);
	else if (!status.consuming)
		snprintf(why, why_size, "%s: no consumer registered", name);
	else if (status.silent_ms > 3000 * worker->settings.link.heartbeat_s)
		snprintf(why, why_size, "%s: no frame from the broker for %lld ms", name, (long long)status.silent_ms);
	else if (status.blocked)
		snprintf(why, why_size, "%s: the broker blocks publishers (memory or disk alarm)", name);
	else
		return true;
	return false;
}

bool worker_is_ready(void *arg, char *why, size_t why_size)
{
	struct worker *worker = arg;

	if (atomic_load(&worker->draining)) {
		snprintf(why, why_size, "stopping");
		return false;
	}
	if (outbox_refused(worker->outbox)) {
		snprintf(why, why_size, "the broker refuses replies");
		return false;
	}
	return link_is_ready(worker, worker->jobs, "jobs", why, why_size) &&
	       link_is_ready(worker, worker->replies, "replies", why, why_size);
}
