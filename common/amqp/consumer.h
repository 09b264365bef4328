#ifndef AMQP_CONSUMER_H
#define AMQP_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/backoff.h"
#include "amqp/connection.h"
#include "amqp/link.h"

enum consumer_state {
	CONSUMER_IDLE,     /**< the broker does not know it */
	CONSUMER_STARTING, /**< asked for, not yet acknowledged */
	CONSUMER_RUNNING,
	CONSUMER_STOPPING /**< cancelled, not yet acknowledged */
};

/** One consumer of a link: what the program wants of it and how far that is. */
struct consumer {
	unsigned number;
	char queue[ENVELOPE_SHORT_SIZE];
	int64_t own_queue_expires_ms;
	bool own_queue_made; /* so it should be there */
	const char *hears;
	const char *hears_key;
	int64_t hears_max;
	char prefix[64]; /**< of the queue's name, when it hears an exchange */
	amqp_delivery_fn *on_delivery;
	void *arg;

	/* Written by any thread under the link's lock. */
	bool wanted;
	uint16_t prefetch;
	enum consumer_state shown; /**< `state` as of the last turn, for other threads */

	/* The link's thread only. */
	enum consumer_state state;
	bool goal;              /**< copy of `wanted` */
	uint16_t goal_prefetch; /**< copy of `prefetch` */
	uint16_t running_prefetch;
	char tag[32];
	unsigned serial;
	bool queue_lost; /**< declare it again before consuming */
	int64_t running_since_ms;
	int64_t retry_at_ms;
	struct backoff backoff;
};

void consumer_init(struct consumer *c, unsigned number, const struct amqp_consumer_settings *settings);

/**
 * Declares the queue that belongs to the consumer itself, if one does. One with an expiry that is not there the next
 * time is ERROR_TOPOLOGY. Blocking.
 */
int consumer_declare_queue(struct consumer *c, struct connection *connection, struct error *err) must_check;

/**
 * Deletes that queue, if it is one with an expiry: nobody will ever read it. Does not wait for the answer, nor care:
 * what is not deleted expires.
 */
void consumer_delete_queue(struct consumer *c, struct connection *connection);

/**
 * Takes one step towards the goal: asks the broker to consume or to cancel. Never waits for the
 * answer. Returns 0 or a negative errno with `err`.
 */
int consumer_step(struct consumer *c, struct connection *connection, int64_t now_ms, struct error *err) must_check;

/** True when consumer_step() would ask the broker to consume. */
bool consumer_is_due(const struct consumer *c, int64_t now_ms);

/* The broker's answers; each returns true when the tag is this consumer's. */
bool consumer_on_started(struct consumer *c, amqp_bytes_t tag, int64_t now_ms);
bool consumer_on_stopped(struct consumer *c, amqp_bytes_t tag);
/** The broker gave the consumer up by itself: its queue was deleted or moved. */
bool consumer_on_cancelled(struct consumer *c, amqp_bytes_t tag, int64_t now_ms);

/** The connection is gone. */
void consumer_reset(struct consumer *c);

#endif
