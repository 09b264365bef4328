#ifndef AMQP_PUBLISHER_H
#define AMQP_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "amqp/link.h"

/** A message that was accepted and has no outcome yet. */
struct publication {
	TAILQ_ENTRY(publication) entry;
	struct amqp_message *message;
	amqp_outcome_fn *done; /**< may be NULL */
	void *arg;
	uint64_t tag;      /**< the broker's number for it, on this connection */
	bool returned;     /**< came back: the ack to come means AMQP_RETURNED */
	unsigned refusals; /**< channels the broker has closed because of it */
};
TAILQ_HEAD(publication_list, publication);

/** What a publisher needs of the link; fakes in the tests. */
struct publisher_ops {
	/** Writes one message. Returns 0 or a negative errno. */
	int (*send)(void *arg, const struct amqp_message *message);
	/** One publication has got its outcome, and `done` has been called. */
	void (*finished)(void *arg, enum amqp_outcome outcome);
};

/**
 * Publishes in order with a window of unconfirmed messages, and gives each exactly one outcome.
 * Used by the link's thread only.
 */
struct publisher {
	const struct publisher_ops *ops;
	void *arg;
	struct publication_list backlog;     /**< to be sent, oldest first */
	struct publication_list unconfirmed; /**< sent, by rising tag */
	unsigned window;
	unsigned in_flight; /**< length of `unconfirmed` */
	uint64_t last_tag;
};

void publisher_init(struct publisher *p, unsigned window, const struct publisher_ops *ops, void *arg);

/** Accepts publications: moves the whole list behind the backlog. */
void publisher_accept(struct publisher *p, struct publication_list *list);

/** True if something may be sent now. */
bool publisher_has_work(const struct publisher *p);

/** Sends from the backlog while the window has room: until `max_bytes` of bodies are out. 0 or the error of send(). */
int publisher_pump(struct publisher *p, size_t max_bytes) must_check;

/** The broker took (AMQP_CONFIRMED) or refused (AMQP_NACKED) the message of a tag, or all up to it. */
void publisher_settle(struct publisher *p, uint64_t tag, bool multiple, enum amqp_outcome outcome);

/** The broker sent back a message that no queue took. Its ack follows. */
void publisher_returned(struct publisher *p, const struct amqp_delivery *returned);

/**
 * The broker closed the channel over a publish to `exchange`, which does not exist or is not
 * allowed. What is refused twice is given up (AMQP_NACKED), so that it cannot close every channel to come.
 */
void publisher_refused(struct publisher *p, const char *exchange);

/** The broker closed the channel over a body above its own limit: those are given up (AMQP_NACKED) likewise. */
void publisher_refused_above(struct publisher *p, size_t max_bytes);

/** The connection is gone: what was unconfirmed is sent again, first and in order. */
void publisher_reset(struct publisher *p);

/** Gives everything left the outcome AMQP_ABANDONED. */
void publisher_finish(struct publisher *p);

#endif
