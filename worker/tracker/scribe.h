#ifndef TRACKER_SCRIBE_H
#define TRACKER_SCRIBE_H

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

/** Ends the thread; a batch that was given is finished and posted first. NULL is fine. */
void scribe_stop(struct scribe *scribe);

#endif
