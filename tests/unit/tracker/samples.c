#include "samples.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct amqp_delivery *sample_delivery(const char *type, const char *body)
{
	struct amqp_delivery *delivery = calloc(1, sizeof(*delivery));

	assert(delivery);
	delivery->tag.generation = 1;
	delivery->received_unix_ms = 1234;
	snprintf(delivery->envelope.type, sizeof(delivery->envelope.type), "%s", type);
	snprintf(delivery->envelope.content_type, sizeof(delivery->envelope.content_type), "application/json");
	delivery->body = (uint8_t *)strdup(body);
	delivery->body_size = strlen(body);
	return delivery;
}

void sample_task_id(unsigned number, char out[UUID_SIZE])
{
	snprintf(out, UUID_SIZE, "00000000-0000-7000-8000-%012x", number);
}

struct amqp_delivery *sample_event(unsigned number)
{
	char id[UUID_SIZE];
	char body[256];

	sample_task_id(number, id);
	snprintf(body, sizeof(body), "{\"task_id\":\"%s\",\"state\":\"running\",\"attempt\":1}", id);
	return sample_delivery(ENVELOPE_TYPE_EVENT, body);
}

struct amqp_delivery *sample_report(unsigned number)
{
	char id[UUID_SIZE];
	char body[256];

	sample_task_id(number, id);
	snprintf(body, sizeof(body),
		 "{\"task_id\":\"%s\",\"at\":\"2025-11-25T14:53:07.123Z\",\"attempt\":1,\"outcome\":\"delivered\"}",
		 id);
	return sample_delivery(ENVELOPE_TYPE_DELIVERY, body);
}
