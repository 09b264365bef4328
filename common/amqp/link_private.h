#ifndef AMQP_LINK_PRIVATE_H
#define AMQP_LINK_PRIVATE_H

#include <pthread.h>

#include "amqp/backoff.h"
#include "amqp/connection.h"
#include "amqp/consumer.h"
#include "amqp/frames.h"
#include "amqp/link.h"
#include "amqp/link_meters.h"
#include "amqp/publisher.h"
#include "amqp/settler.h"
#include "amqp/topology_plan.h"
#include "amqp/watchdog.h"

#define LINK_MAX_CONSUMERS 8

struct amqp_link {
	/* Fixed before the thread starts. */
	struct amqp_link_settings settings;
	struct amqp_url url;
	char name[128];
	struct topology_plan plan;
	struct consumer consumers[LINK_MAX_CONSUMERS];
	unsigned consumer_count;
	struct link_meters meters;
	size_t capacity; /**< messages that may be without an outcome */
	bool started;
	pthread_t thread;
	int wake_fd;
	int epoll_fd;
	struct watchdog watchdog;

	/* Shared, under the lock. `changed` is signalled when any of it changes in a way somebody may wait for. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct publication_list inbox; /**< accepted, not yet seen by the thread */
	struct settlement *wishes;     /**< for the connection that is up */
	size_t wish_count;
	size_t wish_capacity;
	size_t unconfirmed;  /**< accepted without an outcome */
	bool woken;          /**< wake_fd is signalled */
	uint64_t taken_turn; /**< counts the times the thread looked for requests */
	uint64_t shown_turn; /**< what `shown` of the consumers is up to date with */
	unsigned draining;   /**< threads in amqp_link_drain() */
	bool stopping;
	bool finished; /**< the thread is about to end */
	bool up;       /**< connected and declared */
	bool blocked;
	bool fatal; /**< no attempt since the last connection can have been worth repeating */
	uint64_t generation;
	int64_t last_frame_ms;
	int64_t last_turn_ms;
	struct error last_error;

	/* The link's thread only. */
	struct connection connection;
	struct frames frames;
	struct publisher publisher;
	struct settler settler;
	struct backoff backoff;
	unsigned host;            /**< the next one to try */
	struct settlement *taken; /**< the other buffer of wishes */
	size_t taken_capacity;
	bool readable;        /**< the socket had something since the last turn */
	bool fatal_reported;  /**< in this outage */
	struct error failure; /**< why the connection is given up */
};

/** The thread: connects, serves, connects again, until the link is freed. */
void *link_loop(void *link);

/** Wakes the thread. Under the lock. */
void link_wake(struct amqp_link *link);

extern const struct frames_ops link_frames_ops;
extern const struct publisher_ops link_publisher_ops;
extern const struct settler_ops link_settler_ops;

#endif
