#include "amqp/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct amqp_message *new_to(const char *exchange, const char *routing_key)
{
	struct amqp_message *message = calloc(1, sizeof(*message));

	if (!message)
		return NULL;
	snprintf(message->exchange, sizeof(message->exchange), "%s", exchange);
	snprintf(message->routing_key, sizeof(message->routing_key), "%s", routing_key);
	return message;
}

struct amqp_message *amqp_message_new(const char *exchange, const char *routing_key, struct buffer *body)
{
	struct amqp_message *message = new_to(exchange, routing_key);

	if (!message)
		return NULL;
	message->body_size = body->size;
	message->body = buffer_steal(body);
	return message;
}

struct amqp_message *amqp_message_copy(const struct amqp_message *message, const char *exchange,
				       const char *routing_key)
{
	struct amqp_message *copy = new_to(exchange, routing_key);

	if (!copy)
		return NULL;
	copy->mandatory = message->mandatory;
	copy->envelope = message->envelope;
	if (message->body_size > 0) {
		copy->body = malloc(message->body_size);
		if (!copy->body) {
			free(copy);
			return NULL;
		}
		memcpy(copy->body, message->body, message->body_size);
		copy->body_size = message->body_size;
	}
	return copy;
}

void amqp_message_free(struct amqp_message *message)
{
	if (!message)
		return;
	free(message->body);
	free(message);
}

void amqp_delivery_free(struct amqp_delivery *delivery)
{
	if (!delivery)
		return;
	free(delivery->body);
	free(delivery);
}
