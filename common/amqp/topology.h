#ifndef AMQP_TOPOLOGY_H
#define AMQP_TOPOLOGY_H

#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/error.h"
#include "job/envelope.h"
#include "job/scene.h"

/* The names of everything facefleet declares on the broker, in one place. */

#define TOPOLOGY_JOBS_EXCHANGE "facefleet.jobs"
#define TOPOLOGY_REPLIES_EXCHANGE "facefleet.replies"
#define TOPOLOGY_EVENTS_EXCHANGE "facefleet.events"
#define TOPOLOGY_DEAD_EXCHANGE "facefleet.dead"
#define TOPOLOGY_CONTROL_EXCHANGE "facefleet.control"
#define TOPOLOGY_CALLBACKS_QUEUE "facefleet.callbacks"
#define TOPOLOGY_TRACKER_QUEUE "facefleet.tracker"
#define TOPOLOGY_DEAD_JOBS_QUEUE "facefleet.dead.jobs"
#define TOPOLOGY_DEAD_PARKED_QUEUE "facefleet.dead.parked"
/** Routing keys on the dead exchange: for the queue workers report from, and for parking. */
#define TOPOLOGY_DEAD_JOBS_KEY "jobs"
#define TOPOLOGY_DEAD_PARKED_KEY "parked"

/** What a program publishes to or consumes from, and so declares. Or them together. */
enum topology_part {
	TOPOLOGY_JOBS = 1 << 0,             /**< jobs exchange, both lanes, the dead exchange and its queues */
	TOPOLOGY_REPLIES = 1 << 1,          /**< replies and events exchanges and the binding between them */
	TOPOLOGY_CALLBACKS = 1 << 2,        /**< the callbacks queue on replies, the events exchange, parking */
	TOPOLOGY_TRACKER = 1 << 3,          /**< the tracker's queue on events, and parking */
	TOPOLOGY_JOB_RETRIES = 1 << 4,      /**< retry queues of the lanes */
	TOPOLOGY_CALLBACK_RETRIES = 1 << 5, /**< retry queues of the callbacks */
	TOPOLOGY_CONTROL = 1 << 6,
	TOPOLOGY_ALL = (1 << 7) - 1
};

/** The queue of a lane ("facefleet.jobs.realtime"). Static storage. */
const char *topology_lane_queue(enum lane lane);

/** The targets a retry queue can lead back to. */
enum topology_retry_target { TOPOLOGY_RETRY_REALTIME, TOPOLOGY_RETRY_BATCH, TOPOLOGY_RETRY_CALLBACKS };

/**
 * Writes the name of the retry queue `facefleet.retry.<target>.<delay_ms>`; publish to it through
 * the default exchange. Any delay may be declared: the ones in use come from `delays` below.
 */
void topology_retry_queue(enum topology_retry_target target, int64_t delay_ms, char out[ENVELOPE_SHORT_SIZE]);

/** Which retry delays a program uses; zero-terminated lists, at most 16 each. NULL: scene_backoffs, and the
 * waits that Standard Webhooks suggests. */
struct topology_delays {
	const int64_t *jobs;
	const int64_t *callbacks;
};

/** Prints the whole table for people, or with `json` for programs. */
void topology_print(FILE *out, bool json);

/** Prints the operator policies (maximum lengths and the like) as `rabbitmqctl set_policy` lines. */
void topology_print_policies(FILE *out);

struct amqp_url;

/**
 * Connects on its own, compares the broker with the table (`apply` false: passive, reports what is
 * missing or different to `out`) or declares everything (`apply` true). Returns 0 when all stands
 * as it should, 1 when something is missing or differs, or a negative errno with `err`. Blocking,
 * bounded by `timeout_ms`.
 */
int topology_check(const struct amqp_url *url, bool apply, int64_t timeout_ms, FILE *out, struct error *err) must_check;

#endif
