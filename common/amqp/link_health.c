#include "amqp/link_health.h"

#include <inttypes.h>
#include <stdio.h>

bool amqp_link_is_alive(struct amqp_link *link, const char *name, int64_t silence_ms, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (status.loop_silent_ms <= silence_ms)
		return true;
	snprintf(why, why_size, "the %s link has not turned for %" PRId64 " ms", name, status.loop_silent_ms);
	return false;
}

bool amqp_link_is_ready(struct amqp_link *link, const char *name, int64_t silence_ms, char *why, size_t why_size)
{
	struct amqp_link_status status;

	amqp_link_status(link, &status);
	if (!status.connected)
		snprintf(why, why_size, "the %s link has no broker", name);
	else if (!status.consuming)
		snprintf(why, why_size, "the %s link's consumer is not registered", name);
	else if (status.silent_ms > silence_ms)
		snprintf(why, why_size, "no sign of the broker on the %s link for %" PRId64 " ms", name,
			 status.silent_ms);
	else
		return true;
	return false;
}
