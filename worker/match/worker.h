#ifndef MATCH_WORKER_H
#define MATCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "job/scene.h"
#include "matcher.h"
#include "obs/metrics.h"
#include "quarantine.h"
#include "registry.h"

/** The running worker: two links to the broker, a pool of compute threads, a fetcher, an outbox. */
struct worker;

#define WORKER_MAX_PREFETCH 1000

/** What may change while the worker runs. */
struct worker_tuning {
	struct matcher_rules rules;
	uint16_t prefetch[LANE_COUNT]; /**< 1 to WORKER_MAX_PREFETCH */
	int64_t fetch_timeout_ms;
	int64_t drain_timeout_ms;
	int64_t heartbeat_ms;            /**< between two of them */
	int64_t realtime_wait_target_ms; /**< the batch lane yields while realtime jobs wait longer; 0: never */
};

struct worker_settings {
	const char *name;
	struct amqp_link_settings link; /**< broker, heartbeat and the like; each link fills in the rest */
	struct matcher_settings matcher;
	struct quarantine_settings quarantine;
	struct worker_tuning tuning; /**< its rules are the matcher's too */
	unsigned threads;            /**< ≥ 1 */
	const char *fetch_allow;
	unsigned fetch_max_in_flight;
	unsigned searches_together;       /**< 1 to GALLERY_MAX_QUERIES */
	struct central_follower *central; /**< is told of new settings; NULL: nobody is; outlives the worker */
	/** Its announcements are filled in here; store.url "": this worker knows no people. */
	struct registry_settings registry;
	struct metrics *metrics;
};

/**
 * Warms every compute thread, then connects and consumes. Returns once the threads are warm; the
 * connections come up in the background. The settings' pointers outlive the worker.
 */
int worker_start(struct worker **out, const struct worker_settings *settings, struct error *err) must_check;

/** From now on; tasks under way keep what they began with. Main thread. */
void worker_tune(struct worker *worker, const struct worker_tuning *tuning);

/** Housekeeping, a few times a second from the main thread. */
void worker_tick(struct worker *worker);

/** A fault no reconnect mends, such as a queue with other arguments; false while all is well. */
bool worker_failed(struct worker *worker, struct error *err);

/** For /healthz and /readyz: true, or false and why. Any thread. */
bool worker_is_healthy(void *worker, char *why, size_t why_size);
bool worker_is_ready(void *worker, char *why, size_t why_size);

/**
 * Graceful end of work: consumes no more, finishes what is in hand within the drain timeout (a
 * further signal hurries), gives the rest back to the queue and flushes. Blocks that long.
 */
void worker_drain(struct worker *worker);

/** Ends threads and connections and frees; jobs still in hand are delivered again. NULL is fine. */
void worker_stop(struct worker *worker);

#endif
