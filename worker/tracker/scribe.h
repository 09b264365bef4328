#ifndef TRACKER_SCRIBE_H
#define TRACKER_SCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "batch.h"
#include "meters.h"
#include "store/store.h"
#include "sweeper.h"

/** The store thread: records batches, and sweeps every second. */
struct scribe;

struct scribe_settings {
	struct store_settings store; /**< its URL is borrowed */
	struct sweeper_settings sweeper;
	struct meters *meters;
	/** A fault of the store that no waiting mends. On the scribe's thread. */
	void (*on_fatal)(void *arg, const struct error *err);
	void *arg;
};

/**
 * Opens the store and starts the thread. A store that is refused (its schema, its URL) is an error; one that cannot be
 * reached is asked again by whoever gives a batch, and by each sweep. Blocking, bounded by the store's timeout.
 */
int scribe_start(struct scribe **out, const struct scribe_settings *settings, struct error *err) must_check;

/** Other times for the sweeps from now on. Any thread. */
void scribe_set_times(struct scribe *scribe, int64_t lease_ms, int64_t keep_ms);

/** Records a batch and posts it as LETTER_APPLIED. One at a time. Never blocks. */
void scribe_give(struct scribe *scribe, struct batch *batch);

/** For one batch, or one sweep: far more than a store that answers late may take. */
#define SCRIBE_TURN_MS 600000

/** Whether the thread goes on: false, and `why`, when it has been at one thing for longer. `now_ms` is monotonic. Any
 * thread. */
bool scribe_holds(struct scribe *scribe, int64_t now_ms, char *why, size_t why_size) must_check;

/** Ends the thread; a batch that was given is finished and posted first. NULL is fine. */
void scribe_stop(struct scribe *scribe);

#endif
