#ifndef GATEWAY_DESK_H
#define GATEWAY_DESK_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "recent.h"
#include "submission.h"

/*
 * The submissions under way: published, waiting for the broker's confirm, and then perhaps for the reply. Every request
 * is answered exactly once, whatever happens first. Any thread.
 */

struct desk;

struct desk_settings {
	struct amqp_link *link;
	struct recent *recent;
	unsigned max;     /**< submissions under way */
	size_t max_bytes; /**< of the messages that the broker has not confirmed */
	int64_t confirm_timeout_ms;
	/** The broker has answered (or never will) a submission with a ticket, which is taken over. Must not block. */
	void (*on_ticket)(void *arg, struct ticket *ticket, bool published);
	void *arg;
	struct metrics *metrics;
};

struct desk *desk_new(const struct desk_settings *settings) must_check;

/** The link must have been freed, so that nothing is pending. NULL is fine. */
void desk_free(struct desk *desk);

/**
 * Takes over a submission and its message. Refuses it at once if the broker is away or there are too many; then it
 * returns false, and its ticket stays the caller's.
 */
bool desk_submit(struct desk *desk, struct submission *submission, struct amqp_message *message);

/** A reply came: whoever waits for it is answered. */
void desk_reply(struct desk *desk, const char *task_id, const char *json, size_t size);

/** The connection broke: what it had not confirmed may have been taken or not. */
void desk_lose(struct desk *desk);

/** Answers those whose time is over. */
void desk_tick(struct desk *desk, int64_t now_ms);

/** Nobody waits for replies any more: the gateway is stopping. */
void desk_hurry(struct desk *desk);

#endif
