#include "announcement.h"

#include <stdio.h>

#include "amqp/message.h"
#include "amqp/topology.h"

void announcement_send(struct amqp_link *publisher, const struct control *control, struct meters *meters)
{
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	if (control_encode(control, &body) == 0)
		message = amqp_message_new(TOPOLOGY_CONTROL_EXCHANGE, "", &body);
	buffer_finish(&body);
	if (message) {
		struct envelope *envelope = &message->envelope;

		snprintf(envelope->type, sizeof(envelope->type), "%s", ENVELOPE_TYPE_CONTROL);
		snprintf(envelope->content_type, sizeof(envelope->content_type), "%s",
			 encoding_content_type(ENCODING_JSON));
		if (amqp_link_publish(publisher, message, NULL, NULL) == 0)
			return;
	}
	metric_add(meters->events_dropped, 1);
}
