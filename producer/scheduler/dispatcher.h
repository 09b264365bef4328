#ifndef SCHEDULER_DISPATCHER_H
#define SCHEDULER_DISPATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amqp/link.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "base/timer_heap.h"
#include "meters.h"
#include "run.h"
#include "window.h"

/** Runs that are claimed at once, and those of them that are under way to the broker. */
#define DISPATCHER_MAX_RUNS 2000
#define DISPATCHER_MAX_IN_FLIGHT 500

struct dispatcher_tools {
	struct mailbox *box; /**< where outcomes arrive */
	struct amqp_link *link;
	struct meters *meters;
	int64_t misfire_after_ms;
};

/**
 * The runs in hand: claims what is due, publishes it, tries again what the broker refused, and records what is over.
 * Used by one thread. What is not recorded when it ends is published again by whoever leads next, as the same task.
 */
struct dispatcher {
	struct dispatcher_tools tools;
	struct run_list runs;
	size_t count;
	size_t in_flight;
	size_t bytes; /**< of jobs in flight */
	size_t waiting;
	struct timer_heap retries; /**< by monotonic time */
	bool was_refused;          /**< and it was said */
	const char **lookup;       /**< ids of the schedules in hand, sorted; see dispatcher_sort() */
	size_t lookup_count;
};

/** What it works with in one turn. */
struct dispatcher_turn {
	struct store *store;
	uint64_t token;
	struct window *window;
	bool is_held; /**< false: the store knows a newer token, another scheduler leads */
};

/** 0 or -ENOMEM. */
int dispatcher_init(struct dispatcher *d, const struct dispatcher_tools *tools) must_check;

/** The link must be gone. */
void dispatcher_finish(struct dispatcher *d);

/** Reads what outcomes have come. */
void dispatcher_read_mail(struct dispatcher *d);

/** Claims what is due and publishes it, and what was refused before and is due again. The link must be ready. */
int dispatcher_start(struct dispatcher *d, struct dispatcher_turn *turn, struct error *err) must_check;

/** Records what is over, and puts the next runs into the window. */
int dispatcher_record(struct dispatcher *d, struct dispatcher_turn *turn, struct error *err) must_check;

/** Forgets what is not under way; the rest is forgotten as soon as its outcome is known. */
void dispatcher_abandon(struct dispatcher *d);

/** When it wants to be called next (monotonic); INT64_MAX: not before an outcome or what is due in the window. */
int64_t dispatcher_next_ms(const struct dispatcher *d);

/** True when more may be claimed. */
bool dispatcher_has_room(const struct dispatcher *d);

/** True when nothing is under way or waits to be recorded. */
bool dispatcher_is_idle(const struct dispatcher *d);

/** Prepares dispatcher_has(), until runs come or go. */
void dispatcher_sort(struct dispatcher *d);

/** Whether a schedule has a run in hand; `arg` is the dispatcher. */
bool dispatcher_has(void *arg, const char *schedule_id);

#endif
