#ifndef AMQP_LINK_H
#define AMQP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/message.h"
#include "amqp/topology.h"
#include "amqp/url.h"
#include "base/compiler.h"
#include "base/error.h"
#include "obs/metrics.h"

/**
 * A lasting link to the broker: one thread that owns one connection with one channel, keeps it
 * alive, and opens it again when it breaks (jittered back-off, hosts in turn), each time
 * declaring its topology, consuming again and publishing again what was not confirmed. Programs
 * that both consume and publish much have two links, so that a memory alarm on publishing never
 * delays acknowledgements.
 *
 * Every function may be called from any thread unless it says otherwise; none but start, wait_*,
 * drain and free blocks. Callbacks run on the link's thread and must not block or call a blocking function.
 */
struct amqp_link;

/** What became of a published message. */
enum amqp_outcome {
	AMQP_CONFIRMED, /**< on every queue it was routed to */
	AMQP_RETURNED,  /**< mandatory, and no queue took it */
	AMQP_NACKED,    /**< a queue is full or could not store it */
	AMQP_ABANDONED  /**< the link was freed before the broker answered: it may be there or not */
};

typedef void amqp_outcome_fn(void *arg, enum amqp_outcome outcome, const struct amqp_message *message);

/** Called for each message; takes the delivery over. */
typedef void amqp_delivery_fn(void *arg, struct amqp_delivery *delivery);

struct amqp_link_settings {
	const struct amqp_url *url; /**< copied */
	const char *name;           /**< connection name on the broker's management page */
	unsigned topology;          /**< enum topology_part, declared on each connect */
	struct topology_delays delays;
	int heartbeat_s;          /**< 0 = 15 */
	int64_t reconnect_max_ms; /**< 0 = 10 s */
	unsigned publish_window;  /**< unconfirmed at once; 0 = 200 */
	size_t publish_backlog;   /**< accepted but not yet sent, beyond the window; 0 = 1000 */
	struct metrics *metrics;  /**< may be NULL */
	/** A fault that no reconnect mends (other queue arguments, refused login after it had worked once): may be
	 * NULL. */
	void (*on_fatal)(void *arg, const struct error *err);
	/** The connection went down: deliveries of its generation can no longer be settled. May be NULL. */
	void (*on_lost)(void *arg, uint64_t generation);
	void *arg;
};

struct amqp_consumer_settings {
	const char *queue;
	uint16_t prefetch; /**< ≥ 1: 0 would mean unlimited to the broker */
	bool paused;       /**< do not start until amqp_link_resume() */
	/**
	 * Declare the queue itself as the caller's own, with `x-expires` of this many ms, and delete it when the link
	 * is freed; 0: it is in the topology. A broker that dies may forget a queue it has just made, or one is
	 * deleted: what was in it is lost, which is fatal (ERROR_TOPOLOGY).
	 */
	int64_t own_queue_expires_ms;
	/**
	 * NULL, or an exchange to hear: then `queue` only begins the name of a queue that exists as long as the
	 * connection does. What is said while there is none is missed.
	 */
	const char *hears;
	const char *hears_key; /**< which routing keys of a topic exchange; NULL of a fanout exchange */
	int64_t hears_max;     /**< messages the queue holds, the oldest give way; 0: no limit */
	amqp_delivery_fn *on_delivery;
	void *arg;
};

/** Makes a link that does nothing yet. */
int amqp_link_new(struct amqp_link **out, const struct amqp_link_settings *settings, struct error *err) must_check;

/** Adds a consumer before amqp_link_start(). Returns its number (from 0) or a negative errno. */
int amqp_link_add_consumer(struct amqp_link *link, const struct amqp_consumer_settings *settings) must_check;

/** Starts the thread, which connects in the background. */
int amqp_link_start(struct amqp_link *link, struct error *err) must_check;

/**
 * Waits until the link is connected, declared and consuming. 0; or the errno of `err` (the last
 * thing that went wrong) after `timeout_ms`, at once if it is fatal, or when stop_requested().
 */
int amqp_link_wait_ready(struct amqp_link *link, int64_t timeout_ms, struct error *err) must_check;

/**
 * Publishes. Takes `message` over in any case. `done` (may be NULL) is called exactly once if 0 is
 * returned, with the message still valid. Returns -EAGAIN when the backlog is full, -EMSGSIZE above
 * JOB_MAX_ENCODED_BYTES, -ESHUTDOWN. Headers on the wire are those of the envelope.
 */
int amqp_link_publish(struct amqp_link *link, struct amqp_message *message, amqp_outcome_fn *done,
		      void *arg) must_check;

/** Waits until amqp_link_publish() would accept a message; 0, -ETIMEDOUT, -ESHUTDOWN. */
int amqp_link_wait_room(struct amqp_link *link, int64_t timeout_ms) must_check;

/** Waits until every accepted message has its outcome; 0 or -ETIMEDOUT. */
int amqp_link_wait_confirms(struct amqp_link *link, int64_t timeout_ms) must_check;

enum amqp_settlement {
	AMQP_ACK,
	AMQP_REQUEUE,    /**< back to the queue, for anyone */
	AMQP_DEAD_LETTER /**< to the queue's dead-letter exchange */
};

/** Settles a delivery. A tag of an earlier connection is dropped: the broker has requeued it. */
void amqp_link_settle(struct amqp_link *link, struct amqp_tag tag, enum amqp_settlement settlement);

/** Cancels the consumer, so nothing more arrives; what was delivered may still be settled. Idempotent. */
void amqp_link_pause(struct amqp_link *link, unsigned consumer);

/**
 * Consumes again, with `prefetch` (0: as before). Idempotent. Another prefetch holds for consumers that start after it,
 * so one that runs is cancelled and started again; what it was given may still be settled, and does not count against
 * the new one.
 */
void amqp_link_resume(struct amqp_link *link, unsigned consumer, uint16_t prefetch);

/** Cancels every consumer and waits until the broker has said so, or is gone; 0 or -ETIMEDOUT. Deliveries already read
 * still come. */
int amqp_link_drain(struct amqp_link *link, int64_t timeout_ms) must_check;

/** What a health check wants to know. */
struct amqp_link_status {
	bool connected;          /**< logged in and declared */
	bool consuming;          /**< every consumer that is not paused is registered */
	bool blocked;            /**< the broker asked publishers to wait (memory or disk alarm) */
	int64_t silent_ms;       /**< since the last frame from the broker */
	int64_t loop_silent_ms;  /**< since the loop last turned */
	uint64_t generation;     /**< connections opened so far */
	size_t unconfirmed;      /**< published or accepted without an outcome */
	struct error last_error; /**< of the last failed connection, if any */
};

void amqp_link_status(struct amqp_link *link, struct amqp_link_status *out);

/**
 * Sends what settlements are queued, closes the connection politely, ends the thread. Messages without an outcome get
 * AMQP_ABANDONED, and no callback is called after that. Others may still use the link: it publishes and settles nothing
 * any more. Bounded: 2 s, or 5 s more (and what the resolver takes) while a connection is being opened. NULL is fine.
 */
void amqp_link_stop(struct amqp_link *link);

/** Stops it, if that was not done before, and frees. NULL is fine. */
void amqp_link_free(struct amqp_link *link);

#endif
