#ifndef TRACKER_SWEEPER_H
#define TRACKER_SWEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "meters.h"
#include "store/store.h"

/*
 * What is looked for in the store every second: tasks whose deadline has passed and that nobody answers any more, tasks
 * that have been running for too long, and finished ones that are old enough to go. Two trackers may both do it.
 */
struct sweeper;

/** How long after its deadline a task is left to those who may still answer. */
#define SWEEPER_GRACE_MS 5000

struct sweeper_settings {
	struct amqp_link *publishing;
	const char *name;             /**< of this tracker: the worker of the replies it sends. Borrowed. */
	int64_t lease_ms;             /**< tasks that run for longer are stuck */
	int64_t keep_ms;              /**< finished tasks are kept for so long */
	bool (*caught_up)(void *arg); /**< whether what waits to be recorded is in hand, so that answers are known */
	void *arg;
	struct meters *meters;
};

/** NULL when memory is out. */
struct sweeper *sweeper_new(const struct sweeper_settings *settings) must_check;
void sweeper_free(struct sweeper *sweeper);

/** Other times from the next sweep on. Any thread. */
void sweeper_set_times(struct sweeper *sweeper, int64_t lease_ms, int64_t keep_ms);

/** One sweep; one thread at a time. Publishes, but waits for the store alone. */
int sweeper_run(struct sweeper *sweeper, struct store *store, struct error *err) must_check;

#endif
