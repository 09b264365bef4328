#ifndef GATEWAY_POOLS_H
#define GATEWAY_POOLS_H

#include "base/compiler.h"
#include "base/queue.h"

struct gateway;
struct visit;

/* The threads that visits are handled on: of the intake, and of reading. */

/** Visits that wait for a thread of a pool. */
#define POOLS_MAX_VISITS 1000

/** Starts the pools. Returns 0 or a negative errno. */
int pools_start(struct gateway *gateway) must_check;

/** Ends them: what waits is handled first. */
void pools_stop(struct gateway *gateway);

/** Hands a visit to a pool, or refuses it when too many wait. Takes it over. */
void pools_pass(struct queue *queue, struct visit *visit);

#endif
