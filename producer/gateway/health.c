#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "gateway_private.h"

/* Time without a turn after which the loop counts as stuck. */
#define STUCK_MS 30000

static bool link_turns(struct gateway *gateway, struct amqp_link *link, const char *name, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (status.loop_silent_ms <= gateway->silence_ms)
		return true;
	snprintf(why, why_size, "the %s link has not turned for %" PRId64 " ms", name, status.loop_silent_ms);
	return false;
}

bool health_is_alive(struct gateway *gateway, char *why, size_t why_size)
{
	int64_t silent_ms = clock_monotonic_ms() - atomic_load(&gateway->turned_ms);

	if (silent_ms > STUCK_MS) {
		snprintf(why, why_size, "the loop has not turned for %" PRId64 " ms", silent_ms);
		return false;
	}
	return link_turns(gateway, gateway->publishing, "publishing", why, why_size) &&
	       link_turns(gateway, gateway->hearing, "hearing", why, why_size);
}

static bool link_is_ready(struct gateway *gateway, struct amqp_link *link, const char *name, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (!status.connected)
		snprintf(why, why_size, "the %s link has no broker", name);
	else if (!status.consuming)
		snprintf(why, why_size, "the %s link's consumer is not registered", name);
	else if (status.blocked)
		snprintf(why, why_size, "the broker is short of memory or disk");
	else if (status.silent_ms > gateway->silence_ms)
		snprintf(why, why_size, "no sign of the broker on the %s link for %" PRId64 " ms", name,
			 status.silent_ms);
	else
		return true;
	return false;
}

bool health_is_ready(struct gateway *gateway, char *why, size_t why_size)
{
	if (atomic_load(&gateway->stopping)) {
		snprintf(why, why_size, "stopping");
		return false;
	}
	return link_is_ready(gateway, gateway->publishing, "publishing", why, why_size) &&
	       link_is_ready(gateway, gateway->hearing, "hearing", why, why_size);
}
