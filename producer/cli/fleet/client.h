#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "config/config.h"
#include "job/reply.h"

/**
 * The command line's line to the broker: sends jobs on one connection and takes replies from a
 * queue of its own on another, so that a publisher the broker holds back still gets answers. What
 * happens on the connections' threads comes out of client_next() on the main thread, one event at
 * a time. Except client_post(), every function is for the main thread.
 */
struct client;

enum client_event_kind {
	CLIENT_NOTHING, /**< the time is over */
	CLIENT_POSTED,  /**< from client_post(): `subject` */
	CLIENT_OUTCOME, /**< of client_send(): `subject`, `outcome`, `nacked` */
	CLIENT_REPLY,   /**< a reply that decodes: `reply` */
	CLIENT_FAULT    /**< nothing more will work: `error` */
};

/** What client_next() tells. */
struct client_event {
	void *subject;
	enum amqp_outcome outcome;
	struct amqp_message *nacked; /**< a copy to send again, the caller's; NULL when memory was out */
	const struct reply *reply;   /**< good until the next call */
	const struct error *error;   /**< good until client_free() */
};

/** A place in the event queue, reserved in the memory of who will be its subject. Zero-initialise. */
struct client_ticket {
	enum client_event_kind kind;
	struct client *client;
	struct client_event event;
};

struct client_settings {
	const struct config *config;
	bool replies;     /**< make a reply queue and consume it */
	unsigned tickets; /**< in use at any moment: jobs sent and not confirmed, subjects posted */
};

/**
 * Connects and declares. Returns 0; or a negative errno with `err` when the broker's URL is wrong
 * (config), nothing can be reached within `timeout_ms`, or stop_requested(). Blocking.
 */
int client_open(struct client **out, const struct client_settings *settings, int64_t timeout_ms,
		struct error *err) must_check;

/** Name of the reply queue, "" without one. */
const char *client_reply_queue(const struct client *client);

/** Hands `subject` to client_next(). `ticket` must live until it came out. Any thread, never blocks. */
void client_post(struct client *client, struct client_ticket *ticket, void *subject);

/**
 * Sends `message`, which it takes over in any case. Its outcome comes out of client_next() with
 * `subject`; `ticket` must live until then. 0, or a negative errno as amqp_link_publish() and no outcome.
 */
int client_send(struct client *client, struct amqp_message *message, struct client_ticket *ticket,
		void *subject) must_check;

/** The next event, waited for at most `timeout_ms`. Replies are acknowledged, those that make no sense dropped with a
 * warning. */
enum client_event_kind client_next(struct client *client, int64_t timeout_ms, struct client_event *event);

/** How the connections are doing. */
struct client_health {
	bool connected;      /**< jobs can be sent */
	bool listening;      /**< replies can come in */
	const char *trouble; /**< why nothing moves, for people, or NULL; good until the next call */
};

void client_health(struct client *client, struct client_health *out);

/** Closes both connections (bounded), forgets what is unanswered. NULL is fine. */
void client_free(struct client *client);

#endif
