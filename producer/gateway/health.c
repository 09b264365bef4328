#include "health.h"

#include <stdio.h>

#include "amqp/link_health.h"
#include "gateway_private.h"

/* Time without a turn after which the loop counts as stuck. */
#define STUCK_MS 30000

bool health_is_alive(void *arg, char *why, size_t why_size)
{
	struct gateway *gateway = arg;

	if (!loop_state_is_turning(&gateway->loop, STUCK_MS, why, why_size))
		return false;
	if (gateway->synchronous)
		return true;
	return amqp_link_is_alive(gateway->publishing, "publishing", gateway->silence_ms, why, why_size) &&
	       amqp_link_is_alive(gateway->hearing, "hearing", gateway->silence_ms, why, why_size);
}

/* A blocked link takes no job: another gateway should get the request. */
static bool link_is_ready(struct gateway *gateway, struct amqp_link *link, const char *name, char *why, size_t why_size)
{
	struct amqp_link_status status;

	if (!amqp_link_is_ready(link, name, gateway->silence_ms, why, why_size))
		return false;
	amqp_link_status(link, &status);
	if (status.blocked)
		snprintf(why, why_size, "the broker is short of memory or disk");
	return !status.blocked;
}

bool health_is_ready(void *arg, char *why, size_t why_size)
{
	struct gateway *gateway = arg;

	if (!loop_state_is_serving(&gateway->loop, why, why_size))
		return false;
	if (gateway->synchronous)
		return true; /* it listened only when its matchers were warm */
	return link_is_ready(gateway, gateway->publishing, "publishing", why, why_size) &&
	       link_is_ready(gateway, gateway->hearing, "hearing", why, why_size);
}
