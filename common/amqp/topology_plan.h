#ifndef AMQP_TOPOLOGY_PLAN_H
#define AMQP_TOPOLOGY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/topology.h"
#include "base/compiler.h"
#include "job/envelope.h"

#define TOPOLOGY_MAX_DELAYS 16
#define TOPOLOGY_MAX_ARGUMENTS 8
#define TOPOLOGY_MAX_EXCHANGES 8
#define TOPOLOGY_MAX_BINDINGS 8
/** The named queues, and a retry queue for each delay of the three targets. */
#define TOPOLOGY_MAX_QUEUES (8 + 3 * TOPOLOGY_MAX_DELAYS)

/** A queue argument: text, or a number when `text` is NULL. */
struct topology_argument {
	const char *key;
	const char *text;
	int64_t number;
};

/** Always durable. */
struct topology_exchange {
	unsigned parts;
	const char *name;
	const char *type;
};

/** Durable, or of one connection. */
struct topology_queue {
	char name[ENVELOPE_SHORT_SIZE];
	bool exclusive;
	struct topology_argument arguments[TOPOLOGY_MAX_ARGUMENTS]; /**< up to the first without a key */
};

struct topology_binding {
	unsigned parts;
	const char *source;
	const char *key;
	const char *destination;
	bool to_exchange;
};

/** Everything that some parts of the topology need, in the order in which it can be declared. */
struct topology_plan {
	struct topology_exchange exchanges[TOPOLOGY_MAX_EXCHANGES];
	struct topology_queue queues[TOPOLOGY_MAX_QUEUES];
	struct topology_binding bindings[TOPOLOGY_MAX_BINDINGS];
	unsigned exchange_count;
	unsigned queue_count;
	unsigned binding_count;
};

/** Fills a plan for `parts`; lists of `delays` that are NULL are the built-in ones. */
void topology_plan_fill(struct topology_plan *plan, unsigned parts, const struct topology_delays *delays);

/** The number of arguments of a queue. */
unsigned topology_argument_count(const struct topology_queue *queue);

#endif
