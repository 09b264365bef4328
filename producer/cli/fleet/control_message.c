#include "cli/fleet/control_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "amqp/control_message.h"
#include "amqp/settings.h"
#include "amqp/topology.h"

#define TIMEOUT_MS 5000

static int send_all(struct amqp_link *link, const struct control *controls, size_t count, struct error *err)
{
	int r = amqp_link_wait_ready(link, TIMEOUT_MS, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct amqp_message *message = control_message_new(&controls[i]);
		r = amqp_link_wait_room(link, TIMEOUT_MS);
		if (r == 0 && message)
			r = amqp_link_publish(link, message, NULL, NULL);
		else
			amqp_message_free(message);
		if (!message)
			r = -ENOMEM;
	}
	if (r == 0)
		r = amqp_link_wait_confirms(link, TIMEOUT_MS);
	return r < 0 ? error_set(err, ERROR_CONNECTION, "the broker did not take the message: %s", strerror(-r)) : 0;
}

int control_message_send(const struct config *config, const char *name, const struct control *controls, size_t count,
			 struct error *err)
{
	const struct amqp_link_settings settings = {.name = name, .topology = TOPOLOGY_CONTROL};
	struct amqp_link *link = NULL;
	int r = amqp_link_new_from_config(&link, &settings, config, err);

	if (r == 0)
		r = amqp_link_start(link, err);
	if (r == 0)
		r = send_all(link, controls, count, err);
	amqp_link_free(link);
	return r;
}
