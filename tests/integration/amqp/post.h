#ifndef INTEGRATION_POST_H
#define INTEGRATION_POST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"

#define POST_MAX 20000

/** Sends numbered messages over one link and collects them from another (or the same), counting. */
struct post {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct amqp_link *receiver; /**< settles here when `ack` */
	bool ack;                   /**< acknowledge each delivery at once */
	unsigned outcomes[4];       /**< by enum amqp_outcome */
	unsigned deliveries;
	unsigned distinct; /**< different numbers delivered */
	unsigned redelivered;
	bool seen[POST_MAX];
	struct amqp_tag last_tag;
	unsigned losses;          /**< calls of on_lost() */
	uint64_t lost_generation; /**< of the last on_lost() */
	unsigned fatal;           /**< calls of on_fatal() */
	struct error fatal_error; /**< of the last one */
	size_t last_body_size;
	bool last_too_large;
};

void post_init(struct post *p);
void post_finish(struct post *p);

/** Publishes message `number` of `size` bytes; counts its outcome. Waits for room. */
void post_send(struct post *p, struct amqp_link *link, const char *exchange, const char *key, unsigned number,
	       size_t size, bool mandatory);

/** Callbacks for link and consumer settings, with the post as argument. */
void post_on_delivery(void *arg, struct amqp_delivery *delivery);
void post_on_lost(void *arg, uint64_t generation);
void post_on_fatal(void *arg, const struct error *err);

/** Waits until `*counter` is at least `value`; false when a minute and a half has passed. */
bool post_wait(struct post *p, const unsigned *counter, unsigned value);

/** The value of a counter. */
unsigned post_read(struct post *p, const unsigned *counter);

/** Makes and starts a link with settings that suit a test; `consumer` may be NULL. */
struct amqp_link *post_open(struct post *p, const struct amqp_url *url, const char *name, unsigned topology,
			    const struct amqp_consumer_settings *consumer);

/** The same, and waits until it is ready. */
struct amqp_link *post_open_ready(struct post *p, const struct amqp_url *url, const char *name, unsigned topology,
				  const struct amqp_consumer_settings *consumer);

/** Waits until `link` says so; false when a minute and a half has passed. */
bool post_wait_status(struct amqp_link *link, bool (*said)(const struct amqp_link_status *status));

#endif
