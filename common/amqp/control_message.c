#include "amqp/control_message.h"

#include <stdio.h>

#include "amqp/topology.h"

struct amqp_message *control_message_new(const struct control *control)
{
	struct buffer body = {0};
	struct amqp_message *message = NULL;

	if (control_encode(control, &body) == 0)
		message = amqp_message_new(TOPOLOGY_CONTROL_EXCHANGE, "", &body);
	buffer_finish(&body);
	if (!message)
		return NULL;
	snprintf(message->envelope.type, sizeof(message->envelope.type), "%s", ENVELOPE_TYPE_CONTROL);
	snprintf(message->envelope.content_type, sizeof(message->envelope.content_type), "%s",
		 encoding_content_type(ENCODING_JSON));
	return message;
}
