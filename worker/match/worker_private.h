#ifndef MATCH_WORKER_PRIVATE_H
#define MATCH_WORKER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/pool.h"
#include "base/queue.h"
#include "cancelled.h"
#include "dead.h"
#include "fetcher.h"
#include "lanes.h"
#include "meters.h"
#include "outbox.h"
#include "pace.h"
#include "pulse.h"
#include "records.h"
#include "registry.h"
#include "roster.h"
#include "vigil.h"
#include "worker.h"

struct worker {
	struct worker_settings settings;
	struct meters meters;
	struct amqp_link *jobs;    /* consumes both lanes, and what the fleet is told */
	struct amqp_link *replies; /* publishes */
	struct lanes *lanes;
	struct dead *dead;
	struct roster *roster;
	struct cancelled *cancelled;
	struct outbox *outbox;
	struct pulse *pulse;
	struct fetcher *fetcher;
	struct registry *registry; /* NULL: without a store */
	struct records *records;   /* likewise */
	struct queue *queue;
	struct pace pace;
	struct vigil *vigil;
	struct pool *pool;

	atomic_uint_fast64_t lost_generation; /* of the jobs link: what came in on it or before is stale */
	atomic_bool draining;                 /* consumes no more */
	atomic_bool giving_back;              /* what is in hand goes back to the queue */

	pthread_mutex_t lock; /* of the failure, and of settings.tuning for others than the main thread */
	struct error failure; /* what no reconnect mends */
};

/** Gives a task that nobody works on back to the queue. Any thread. */
void worker_give_back(struct worker *worker, struct task *task);

/** Takes a message of the control exchange and settles it; `arg` is the worker. On the jobs link's thread. */
void worker_take_control(void *arg, struct amqp_delivery *delivery);

/** Tells the fleet that people have changed up to that version; `arg` is the worker. Any thread. */
void worker_announce_people(void *arg, uint64_t version);

/** What the pool's threads do; `arg` is the worker. In worker_tasks.c. */
extern const struct pool_ops worker_tasks;

#endif
