#ifndef GATEWAY_OVERLOAD_H
#define GATEWAY_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/url.h"
#include "base/compiler.h"
#include "http/problem.h"
#include "job/reply.h"
#include "obs/metrics.h"

/**
 * Refuses new jobs while there is no point in taking them: realtime jobs that would wait for longer than they may,
 * those of clients who send much more than others first; batch jobs when too many are queued. A thread of its own asks
 * once a second how many are. Any thread.
 */
struct overload;

struct overload_settings {
	const struct amqp_url *url; /**< copied */
	int64_t max_queue_depth;    /**< of the batch lane; 0: no bound */
	struct metrics *metrics;
};

/** NULL when memory is out. */
struct overload *overload_new(const struct overload_settings *settings) must_check;

/** Begins to look at the queues. 0 or a negative errno. */
int overload_start(struct overload *overload) must_check;

/** Waits for a look that is under way: some seconds at most, where the broker does not answer. NULL is fine. */
void overload_free(struct overload *overload);

/** Changes settings.max_queue_depth from now on. */
void overload_set_max_queue_depth(struct overload *overload, int64_t max_queue_depth);

/** A reply says how long its job has waited. */
void overload_hear(struct overload *overload, const struct reply *reply);

/** Whether `name` (an API key, an address) may send a job of that scene now. False: refuse it with `problem`. */
bool overload_admit(struct overload *overload, const char *scene, const char *name,
		    struct http_problem *problem) must_check;

#endif
