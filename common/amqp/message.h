#ifndef AMQP_MESSAGE_H
#define AMQP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "job/envelope.h"

/** A message on its way out. On the heap; owned by whoever holds it until amqp_link_publish() takes it. */
struct amqp_message {
	char exchange[ENVELOPE_SHORT_SIZE]; /**< "" is the default exchange */
	char routing_key[ENVELOPE_SHORT_SIZE];
	bool mandatory; /**< come back (AMQP_RETURNED) when no queue takes it */
	struct envelope envelope;
	uint8_t *body;
	size_t body_size;
};

/**
 * A message with an empty envelope and the bytes of `body`, which it takes over (the buffer is
 * left empty). NULL when memory is out; then the buffer is untouched.
 */
struct amqp_message *amqp_message_new(const char *exchange, const char *routing_key, struct buffer *body) must_check;

/** A copy with its own body, for sending the same to somewhere else. NULL when memory is out. */
struct amqp_message *amqp_message_copy(const struct amqp_message *message, const char *exchange,
				       const char *routing_key) must_check;

/** NULL is fine. */
void amqp_message_free(struct amqp_message *message);

/** Names one delivery: good only for the connection it came in on. */
struct amqp_tag {
	uint64_t generation; /**< of the connection */
	uint64_t delivery;   /**< AMQP delivery tag */
	unsigned consumer;   /**< as amqp_link_add_consumer() numbered it */
};

/**
 * Bodies above this are not read into memory: no publisher of ours sends them, so somebody else did.
 * The delivery still comes, without its body, to be refused like any other bad message.
 */
#define AMQP_MAX_DELIVERY_BYTES (16u << 20)

/** A message that came in. On the heap; owned by the consumer's callback. */
struct amqp_delivery {
	struct amqp_tag tag;
	char exchange[ENVELOPE_SHORT_SIZE];
	char routing_key[ENVELOPE_SHORT_SIZE];
	bool redelivered;
	struct envelope envelope;
	uint8_t *body; /**< NULL when it was empty, or too large */
	size_t body_size;
	bool too_large;           /**< the body was above AMQP_MAX_DELIVERY_BYTES and was not kept */
	int64_t received_ns;      /**< clock_monotonic_ns() */
	int64_t received_unix_ms; /**< clock_unix_ms() */
};

/** NULL is fine. Does not acknowledge. */
void amqp_delivery_free(struct amqp_delivery *delivery);

#endif
