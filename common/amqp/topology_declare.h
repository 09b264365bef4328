#ifndef AMQP_TOPOLOGY_DECLARE_H
#define AMQP_TOPOLOGY_DECLARE_H

#include "amqp/connection.h"
#include "amqp/topology_plan.h"

/*
 * Declaring over an open connection. All blocking, bounded by the connection's time limit. After
 * an error the channel may be closed; it is ERROR_TOPOLOGY when the broker refuses for good, with
 * the differences and the way out, otherwise ERROR_CONNECTION.
 */

int topology_declare_exchange(struct connection *c, const struct topology_exchange *exchange,
			      struct error *err) must_check;
int topology_declare_queue(struct connection *c, const struct topology_queue *queue, struct error *err) must_check;
int topology_declare_binding(struct connection *c, const struct topology_binding *binding,
			     struct error *err) must_check;

/** Whether a queue is there: 1; 0, and then the channel is closed; or a negative errno, also while its node is down. */
int topology_find_queue(struct connection *c, const char *name, struct error *err) must_check;

/**
 * Declares a queue that exists and lists in `list` how it is unlike `queue` ("x-overflow is
 * drop-head, not reject-publish, …"). Returns the number of differences, with the channel open,
 * or a negative errno.
 */
int topology_list_differences(struct connection *c, const struct topology_queue *queue, char *list, size_t size,
			      struct error *err) must_check;

/** Everything of a plan. */
int topology_declare(struct connection *c, const struct topology_plan *plan, struct error *err) must_check;

/** What the broker says about an argument that differs. */
struct topology_difference {
	char key[64];       /**< "x-message-ttl", or "durable", "type" … */
	char wanted[128];   /**< "" for none */
	char existing[128]; /**< "" for none */
};

/** Reads the text of a 406. Returns 0, or -EINVAL when it speaks of something else. */
int topology_read_difference(const char *reply_text, struct topology_difference *out) must_check;

#endif
